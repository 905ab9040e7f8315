# Reads what gcov says of each file; prints a line for each and the sum, and fails
# below `least` percent.
/^File '/ { file = substr($0, 7, length($0) - 7) }
/^Lines executed:/ && file != "" {
  split($2, figures, /[:% ]+/)
  percent = figures[2]
  lines = $NF
  printf "%6.2f %% of %4d lines  %s\n", percent, lines, file
  all += lines
  reached += lines * percent / 100
  file = ""
}
END {
  if (all == 0) { print "no coverage was measured"; exit 1 }
  percent = 100 * reached / all
  printf "%6.2f %% of %4d lines, expected at least %d %%\n", percent, all, least
  exit percent < least
}
