// Prints the table that bridge/kubernetes/schedule.ts is tested against: what robfig/cron, called as Kubernetes' CronJob
// controller calls it, answers to schedules, time zones and instants around everything that makes clocks odd.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

type row struct {
	Schedule string  `json:"schedule"`
	TimeZone *string `json:"timeZone,omitempty"`
	// Absent where the schedule is refused.
	After *string  `json:"after,omitempty"`
	Next  []string `json:"next,omitempty"`
	// Nothing more is due within five years.
	End   bool `json:"end,omitempty"`
	Error bool `json:"error,omitempty"`
}

// How many instants in a row are asked for: enough to cross the change that a start lies before.
const count = 4

// Governments change clocks, and Go's copy of the zones is not as new as Node's: beyond this a zone is not asked.
var horizon = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var schedules = []string{
	"* * * * *", "*/15 * * * *", "0 * * * *", "30 1 * * *", "30 2 * * *", "15 2,3 * * *", "0 0 * * *", "45 23 * * *",
	"0 0 1 * *", "0 0 29 2 *", "0 0 30,31 * *", "0 12 13 * FRI", "0 0 1 1 *", "59 23 31 12 *", "0 6-16/4 * * 1-5",
	"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@every 90m",
}

// Starts lie shortly before a change of the zone's clock, the end of a month or year, or a leap day. Not before the day
// that Apia left out (30 December 2011): there the module never returns.
var starts = []struct{ zone, at string }{
	{"UTC", "2023-12-31T23:59:58Z"}, {"UTC", "2024-02-28T23:30:00Z"}, {"UTC", "2026-02-28T11:59:59Z"},
	{"Etc/UTC", "2025-06-15T12:34:56Z"},
	{"Europe/Berlin", "2025-03-29T22:40:00Z"}, {"Europe/Berlin", "2025-10-25T22:40:00Z"},
	{"Europe/Berlin", "2025-03-30T00:59:59Z"}, {"Europe/Berlin", "2025-10-26T00:10:00Z"},
	{"Europe/London", "2025-03-30T00:30:00Z"}, {"Europe/London", "2025-10-26T00:29:00Z"},
	{"Europe/Dublin", "2025-10-26T00:29:00Z"},
	{"America/New_York", "2025-03-09T04:30:00Z"}, {"America/New_York", "2025-11-02T04:30:00Z"},
	{"America/New_York", "2025-11-02T05:45:00Z"},
	{"America/St_Johns", "2025-03-09T05:00:00Z"}, {"America/St_Johns", "2025-11-02T04:00:00Z"},
	{"America/Sao_Paulo", "2018-11-04T01:30:00Z"}, {"America/Sao_Paulo", "2018-02-18T00:30:00Z"},
	{"America/Havana", "2025-03-09T04:30:00Z"}, {"America/Havana", "2025-11-02T03:30:00Z"},
	{"America/Santiago", "2025-09-07T03:30:00Z"}, {"America/Santiago", "2025-04-06T02:30:00Z"},
	{"Australia/Lord_Howe", "2025-10-04T14:40:00Z"}, {"Australia/Lord_Howe", "2025-04-05T14:10:00Z"},
	{"Australia/Sydney", "2025-10-04T15:00:00Z"},
	{"Asia/Kolkata", "2024-02-28T18:00:00Z"}, {"Asia/Kathmandu", "2025-12-31T18:00:00Z"},
	{"Asia/Beirut", "2025-03-29T21:30:00Z"}, {"Asia/Tehran", "2022-03-21T20:00:00Z"},
	{"Asia/Tehran", "2022-09-21T19:00:00Z"},
	{"Africa/Casablanca", "2024-03-10T01:30:00Z"}, {"Africa/Casablanca", "2024-04-14T01:30:00Z"},
	{"Africa/Cairo", "2025-04-24T21:30:00Z"}, {"Africa/Cairo", "2025-10-30T20:30:00Z"},
	{"Pacific/Apia", "2011-12-31T09:30:00Z"}, {"Pacific/Apia", "2020-09-26T13:30:00Z"},
	{"Pacific/Chatham", "2025-09-27T13:30:00Z"}, {"Atlantic/Azores", "2025-03-29T23:30:00Z"},
	{"Antarctica/Troll", "2025-03-30T00:30:00Z"}, {"US/Eastern", "2025-03-09T04:30:00Z"},
}

// Grammar: each is asked without a zone and from one instant.
var grammar = []string{
	"", " ", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *",
	"* * * * 7", "* * * * SUN", "* * * jan,MAR *", "* * * * mon-fri", "* * * * fri-mon", "5-1 * * * *", "1-5-9 * * * *",
	"*/0 * * * *", "*/-1 * * * *", "*/+5 * * * *", "+5 * * * *", "*/5/2 * * * *", "5/20 * * * *", "50/20 * * * *", "10-40/7 * * * *",
	"*-5 * * * *", "*-5/30 * * * *", "?-x-y * * * *", "? ? ? ? ?", "0 0 ? * ?", "0 0 1,15 * 1", "0 0 */1 * 1", "0 0 */2 * 1", "0 0 ?/2 * 1",
	"0 0 1 * */1", "0 0 1 * */3", "0 0 1-31 * 1", ", * * * *", "* , * * *", "0 0 , * *", "0 0 , * 1", "0 0 , * ,", "* * * , *", "* * * * ,",
	"1,,2 * * * *", ",1 * * * *", "a * * * *", "1a * * * *", "0x5 * * * *", "1_0 * * * *", "007 * * * *", "1.5 * * * *", "- * * * *",
	"/ * * * *", "*/ * * * *", "** * * * *", "*5 * * * *", "5-* * * * *", "*/9223372036854775807 * * * *", "*/9223372036854775808 * * * *",
	"99999999999999999999 * * * *", "\t0\t0  1 1\u00a0*\n", " 0 0 * * *", "0 0 31 2 *", "0 0 31 4,6 *", "0 0 29 2 1", "0 0 29 2 ?",
	"@hourly ", " @hourly", "@HOURLY", "@midnight", "@annually", "@reboot", "@", "@every", "@every ", "@every 0", "@every 1", "@every 1s",
	"@every 500ms", "@every 1.5h", "@every 1h30m10.9s", "@every -5m", "@every  5m", "@every 5m ", "@every 1d", "@every .5m", "@every 1.m",
	"@every .m", "@every 1h1h", "@every 90000h", "@every 2562048h", "@every +1m", "@every 3µs", "@every 1us59s", "@every 1e3s",
	"TZ=Europe/Berlin 0 9 * * *", "CRON_TZ=America/New_York 0 9 * * *", "TZ=Asia/Tokyo  @daily ", "TZ=Nowhere/Else * * * * *", "TZ=", "TZ=UTC",
	"TZ= 0 9 * * *", "tz=UTC 0 9 * * *", "TZ=UTC\t0 9 * * *", " TZ=UTC 0 9 * * *", "TZ=europe/berlin 0 9 * * *", "TZ=../UTC 0 9 * * *",
	"TZ=/etc/localtime 0 9 * * *", "TZ=+01:00 0 9 * * *", "TZ=EST5EDT 0 9 * * *", "TZ=Etc/GMT+5 0 9 * * *", "0 9 * * * TZ=UTC", "CRON_TZ= @every 1h",
	"TZ=UTC @every 1h", "TZ=UTC TZ=UTC * * * * *", "TZ=Local 0 9 * * *",
}

// A zone beside the schedule, and what wins when both name one.
var zoned = []struct{ schedule, zone string }{
	{"0 9 * * *", ""}, {"0 9 * * *", "Local"}, {"0 9 * * *", "Europe/Berlin"}, {"0 9 * * *", "Nowhere/Else"}, {"0 9 * * *", "europe/berlin"},
	{"0 9 * * *", "UTC "}, {" 0 9 * * *", "Asia/Tokyo"}, {" @daily", "Asia/Tokyo"}, {"TZ=Europe/Berlin 0 9 * * *", "Asia/Tokyo"},
	{"CRON_TZ=Europe/Berlin 0 9 * * *", "Asia/Tokyo"}, {"TZ=Europe/Berlin 0 9 * * *", "Nowhere/Else"}, {"@every 1h", "Asia/Tokyo"},
	{"0 9 * * * #TZ", "Asia/Tokyo"}, {"0 9 * * *", "Asia/Calcutta"}, {"0 9 * * *", "+01:00"}, {"0 9 * * *", "GMT"}, {"0 9 * * *", "Zulu"},
}

func main() {
	var rows []row
	for _, start := range starts {
		for _, schedule := range schedules {
			rows = append(rows, ask(schedule, &start.zone, start.at))
		}
	}
	for _, schedule := range grammar {
		rows = append(rows, ask(schedule, nil, "2025-05-17T10:20:30.5Z"))
	}
	for _, each := range zoned {
		rows = append(rows, ask(each.schedule, &each.zone, "2025-05-17T10:20:30Z"))
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for index, each := range rows {
		text, err := json.Marshal(each)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "%s%s", map[bool]string{true: "[\n", false: ",\n"}[index == 0], text)
	}
	fmt.Fprintln(out, "\n]")
}

func ask(schedule string, zone *string, start string) row {
	after, err := time.Parse(time.RFC3339Nano, start)
	if err != nil {
		panic(err)
	}
	parsed, err := parse(schedule, zone)
	if err != nil {
		return row{Schedule: schedule, TimeZone: zone, Error: true}
	}
	next := []string{}
	t := parsed.Next(after.UTC())
	for ; len(next) < count && !t.IsZero() && (zone == nil || t.Before(horizon)); t = parsed.Next(t) {
		next = append(next, t.UTC().Format(time.RFC3339))
	}
	return row{Schedule: schedule, TimeZone: zone, After: &start, Next: next, End: t.IsZero()}
}

// What syncCronJob and formatSchedule of the controller do before it asks for the next instant. A panic of the parser is
// an error there.
func parse(schedule string, zone *string) (parsed cron.Schedule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if zone != nil {
		if _, err := time.LoadLocation(*zone); err != nil {
			return nil, err
		}
		if !strings.Contains(schedule, "TZ") {
			schedule = fmt.Sprintf("TZ=%s %s", *zone, schedule)
		}
	}
	return cron.ParseStandard(schedule)
}
