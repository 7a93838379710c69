// Replaced by the real host in the next commit.
return 0;
