using Spectre.Console;
using Spectre.Console.Rendering;

namespace PgFlow.Cli;

/// <summary>A column of a <see cref="FittingTable"/>.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Importance">The least important ones are given up first where the terminal is narrow; null for
/// never.</param>
internal sealed record Column(string Title, int? Importance = null);

/// <summary>What a row says in a column.</summary>
internal sealed record Cell(string Text, Color? Color = null)
{
    public static implicit operator Cell(string text) => new(text);
}

/// <summary>A table whose cells are never cut nor wrapped, so that what it shows can be copied. A narrow terminal gets
/// fewer columns, and where those that are never given up do not fit, all of them as records.</summary>
internal sealed class FittingTable(params IReadOnlyList<Column> columns)
{
    private readonly List<IReadOnlyList<Cell>> _rows = [];

    public void Add(params IReadOnlyList<Cell> cells) => _rows.Add(cells);

    public void Write(IAnsiConsole console)
    {
        var shown = Enumerable.Range(0, columns.Count).Where(IsUsed).ToList();
        while (!Fits(console, shown) && shown.Exists(IsOptional))
        {
            shown.Remove(shown.Where(IsOptional).MinBy(column => columns[column].Importance));
        }

        if (Fits(console, shown))
        {
            console.Write(Table(shown));
        }
        else
        {
            WriteRecords(console.Profile.Out.Writer, console.Profile.Width);
        }
    }

    private bool IsOptional(int column) => columns[column].Importance is not null;

    /// <summary>Whether some row says something there.</summary>
    private bool IsUsed(int column) => _rows.Exists(row => row[column].Text.Length > 0);

    private bool Fits(IAnsiConsole console, IReadOnlyList<int> shown) =>
        ((IRenderable)Table(shown)).Measure(RenderOptions.Create(console), int.MaxValue).Max <= console.Profile.Width;

    private Table Table(IReadOnlyList<int> shown)
    {
        var table = new Table().SimpleBorder();
        foreach (var column in shown)
        {
            table.AddColumn(new TableColumn(columns[column].Title).NoWrap());
        }

        foreach (var row in _rows)
        {
            table.AddRow(shown.Select(column => new Text(row[column].Text, new Style(row[column].Color))));
        }

        return table;
    }

    /// <summary>What a row is called by stands alone; below it what else it says, as much in a line as fits.</summary>
    private void WriteRecords(TextWriter data, int width)
    {
        foreach (var row in _rows)
        {
            data.WriteLine(row[0].Text);
            var line = "";
            foreach (var (column, cell) in columns.Zip(row).Skip(1).Where(one => one.Second.Text.Length > 0))
            {
                var said = $"  {column.Title} {cell.Text.ReplaceLineEndings(", ")}";
                if (line.Length > 0 && line.Length + said.Length > width)
                {
                    data.WriteLine(line);
                    line = "";
                }

                line += said;
            }

            if (line.Length > 0)
            {
                data.WriteLine(line);
            }
        }
    }
}
