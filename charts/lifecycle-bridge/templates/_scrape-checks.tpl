{{/*
The jobs that are scraped, as JSON by name, each with what holds for all: those that are not off and, of the parts of this
release, that are there.
*/}}
{{- define "lifecycle-bridge.jobs" -}}
{{- $jobs := dict -}}
{{- range $name, $given := .Values.metrics.scrape.jobs -}}
{{- $job := omit $.Values.metrics.scrape "jobs" -}}
{{- range $key, $value := $given }}{{ $_ := set $job $key $value }}{{ end -}}{{/* "merge" takes a 0 for nothing */}}
{{- $there := or (not (has $name (include "lifecycle-bridge.ownJobs" $ | fromJsonArray))) (index $.Subcharts $name) -}}
{{- if and $there (ne (toString $job.enabled) "false") }}{{ $_ := set $jobs $name $job }}{{ end -}}
{{- end -}}
{{- toJson $jobs -}}
{{- end -}}

{{- define "lifecycle-bridge.ownJobs" -}}
["bridge", "collector", "kube-state-metrics"]
{{- end -}}

{{/*
Fails on a job that nothing would scrape, and on what Prometheus would refuse: then the Collector would not start, and nothing
would be watched either.
*/}}
{{- define "lifecycle-bridge.checkJobs" -}}
{{- $jobs := include "lifecycle-bridge.jobs" . | fromJson -}}
{{- $own := include "lifecycle-bridge.ownJobs" . | fromJsonArray -}}
{{- $idle := "" -}}
{{- if eq (include "lifecycle-bridge.metricsExporter" .) "none" }}{{ $idle = "backend.exporter is none: set one (debug only counts)" }}{{ end -}}
{{- if not .Subcharts.collector }}{{ $idle = "collector.enabled is false: set it" }}{{ end -}}
{{- range $name, $job := $jobs -}}
{{- $at := printf "metrics.scrape.jobs.%s" $name -}}
{{- if and $idle (not (has $name $own)) -}}
{{- fail (printf "%s is on, but nothing is scraped, because %s, or %s.enabled: false" $at $idle $at) -}}
{{- end -}}
{{- if ge (int $job.timeoutSeconds) (int $job.intervalSeconds) -}}
{{- fail (printf "%s: timeoutSeconds (%v) must be less than intervalSeconds (%v)" $at $job.timeoutSeconds $job.intervalSeconds) -}}
{{- end -}}
{{- range $key := list "keep" "drop" -}}
{{- range $index, $pattern := index $job $key -}}
{{- include "lifecycle-bridge.checkPattern" (dict "at" (printf "%s.%s[%d]" $at $key $index) "pattern" $pattern) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "relabel" "metricRelabel" -}}
{{- range $index, $rule := index $job $key -}}
{{- include "lifecycle-bridge.checkRule" (dict "at" (printf "%s.%s[%d]" $at $key $index) "rule" $rule) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not $idle) (not $jobs) -}}
{{- fail (printf "backend.exporter is %s, but no job of metrics.scrape.jobs is on: the Collector would not start. Switch one on, or set backend.exporter: none" (include "lifecycle-bridge.metricsExporter" .)) -}}
{{- end -}}
{{- end -}}

{{/* Compiled as Prometheus does; with the empty alternative whatever compiles matches. */}}
{{- define "lifecycle-bridge.checkPattern" -}}
{{- $pattern := toString .pattern -}}
{{- if not (regexMatch (printf "^(?:%s)$|" $pattern) "") -}}
{{- fail (printf "%s: %s is not a regular expression as Prometheus has them (RE2: no lookaround, no backreference)" .at $pattern) -}}
{{- end -}}
{{- include "lifecycle-bridge.checkDollars" . -}}
{{- end -}}

{{- define "lifecycle-bridge.checkDollars" -}}
{{- with regexFind "[$][$]([0-9]|[{])" (toString .pattern) -}}
{{- $group := trimPrefix "$" . -}}
{{- fail (printf "%s: write %s instead of %s, as in Prometheus: the chart doubles each $ for the Collector" $.at (ternary "${1}" $group (hasSuffix "{" $group)) .) -}}
{{- end -}}
{{- end -}}

{{/* A relabel rule, by the rules of Prometheus that its schema cannot say. */}}
{{- define "lifecycle-bridge.checkRule" -}}
{{- $at := .at -}}
{{- $rule := .rule -}}
{{- $action := $rule.action | default "replace" -}}
{{- range $key := list "regex" "replacement" "target_label" "separator" -}}
{{- if hasKey $rule $key -}}
{{- $check := ternary "checkPattern" "checkDollars" (eq $key "regex") -}}
{{- include (printf "lifecycle-bridge.%s" $check) (dict "at" (printf "%s.%s" $at $key) "pattern" (get $rule $key)) -}}
{{- end -}}
{{- end -}}
{{- $needs := dict "replace" (list "target_label") "hashmod" (list "target_label" "modulus") "lowercase" (list "target_label")
  "uppercase" (list "target_label") "keepequal" (list "target_label") "dropequal" (list "target_label") -}}
{{- range index $needs $action -}}
{{- if not (get $rule .) }}{{ fail (printf "%s: action %s needs %s" $at $action .) }}{{ end -}}
{{- end -}}
{{- $takes := dict "labeldrop" (list "regex") "labelkeep" (list "regex") "keepequal" (list "source_labels" "target_label")
  "dropequal" (list "source_labels" "target_label") -}}
{{- $others := list "source_labels" "separator" "regex" "modulus" "target_label" -}}
{{- $taken := get $takes $action | default (ternary $others (append $others "replacement") (has $action (list "lowercase" "uppercase"))) -}}
{{- range $key, $_ := omit $rule "action" -}}
{{- if not (has $key $taken) }}{{ fail (printf "%s: action %s takes no %s, only %s" $at $action $key (join ", " $taken)) }}{{ end -}}
{{- end -}}
{{- if and (ne $action "replace") (contains "$" ($rule.target_label | default "")) -}}
{{- fail (printf "%s: target_label of action %s is one label, without $" $at $action) -}}
{{- end -}}
{{- $names := "^([a-zA-Z_]|[$]([{][0-9A-Za-z_]+[}]|[0-9A-Za-z_]+))([0-9A-Za-z_]|[$]([{][0-9A-Za-z_]+[}]|[0-9A-Za-z_]+))*$" -}}
{{- if and (eq $action "labelmap") (not (regexMatch $names (toString (get $rule "replacement" | default "$1")))) -}}
{{- fail (printf "%s: replacement of action labelmap must be the name of a label, such as $1" $at) -}}
{{- end -}}
{{- end -}}
