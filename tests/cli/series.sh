#!/bin/sh
# tests/cli/series.sh - time series as a user meets them in info and plot: what a file holds, what is missing, pictures,
# one-line errors with exit code 2. Silent when right.
. tests/cli/helpers

# 400 hours of demand and temperature; two hours and one cell are missing
awk 'BEGIN {
  print "date,Demand [MW],Temperature (C),weather,holiday"
  for (i = 0; i < 400; i++) {
    if (i == 100 || i == 101) continue
    printf "2016-07-%02d %02d:00:00,%s,%.2f,%s,%s\n", 1 + i / 24, i % 24, i == 50 ? "" : 1000 + 10 * i, 10 + i % 24,
      i % 3 ? "clear" : "rain", i < 24 ? "TRUE" : "FALSE"
  }
}' >load.csv

# ---- info ----
expect 0 "" "$program" info load.csv
for text in "load.csv: CSV table, time series" "rows  *398" "columns  *4" "first date  *2016-07-01 00:00:00" "last date  *2016-07-17 15:00:00" \
  "step  *1 hour" "steps of a season  *24" "missing rows  *2" "Demand  *MW  *1000  .*  4990  *1 " "Temperature  *C  *10 " \
  "weather .* 2: rain, clear"; do say "$text"; done
expect 0 "" "$program" info --json load.csv
say '"missing rows": 2' && say '"max": 4990'
expect 0 "" "$program" info --no-statistics load.csv
grep -q 4990 out && complain "--no-statistics gives statistics"

(head -1 load.csv; tail -n +2 load.csv | tac) >newest.csv
expect 0 "" "$program" info newest.csv
say "order  *not by date; data.sort=true"
{ printf '\357\273\277'; tr ',' ';' <load.csv | sed 's/\./,/; s/$/\r/'; } >excel.csv
expect 0 "" "$program" info excel.csv
say "time series" && say "Temperature  *C  *10  *21"

# what cannot be a series is shown as the table that it is, with the reason
sed '20p' load.csv >twice.csv
expect 0 "" "$program" info twice.csv
say "note  *twice.csv:21: the date 2016-07-01 18:00:00 comes again (line 20" && say "CSV, time series"
sed '30s/,[^,]*,/,many,/' load.csv >text.csv
expect 0 "" "$program" info text.csv
say "note  *text.csv:30: column 'Demand \[MW\]' holds 'many', which is no number"
sed '3s/2016-07-01/2016-07-41/' load.csv >day.csv
expect 0 "" "$program" info day.csv
say "note  *day.csv:3: column 'date' holds '2016-07-41 01:00:00', which is no date"
printf 'unique_id,ds,y\nA,2016-01,1\nA,2016-02,2\nB,2016-01,3\n' >panel.csv
expect 0 "" "$program" info panel.csv
say "series  *2" && say "step  *1 month" && say "rows of the shortest  *1"

# ---- plot ----
expect 0 "" "$program" plot load.csv
picture load-series.png
expect 0 "" "$program" plot load.csv -o a.png --channel Temperature --channel weather --frames 0,30
picture a.png; rm -f a.png
expect 0 "" "$program" plot panel.csv -o a.png --trajectory 0
picture a.png; rm -f a.png
printf 'Y\n3\n1\n4\n1\n5\n' >numbers.csv
expect 0 "" "$program" plot numbers.csv --kind series -o a.png
picture a.png; rm -f a.png
expect 2 "there is no column 'demand'; did you mean 'Demand'?" "$program" plot load.csv --channel demand -o a.png
expect 2 "holds the series 0 to 1, not 2" "$program" plot panel.csv --trajectory 2 -o a.png
expect 2 "the first and the last row are wanted, as in --frames 0,399" "$program" plot load.csv --frames 5 -o a.png
expect 2 "the first and the last row are wanted" "$program" plot load.csv --frames 5,400 -o a.png
expect 2 "twice.csv:21: the date" "$program" plot twice.csv -o a.png
expect 2 "absent.csv" "$program" plot absent.csv -o a.png --kind series
[ -e a.png ] && complain "a refused picture has left a file"
exit $failed
