{{/*
The jobs that are scraped, as JSON by name, each with what holds for all: those that are not off and, of the parts of this
release, that are there.
*/}}
{{- define "lifecycle-bridge.jobs" -}}
{{- $jobs := dict -}}
{{- range $name, $given := .Values.metrics.scrape.jobs -}}
{{- $job := omit $.Values.metrics.scrape "jobs" "extraScrapeConfigs" -}}
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
{{- include "lifecycle-bridge.checkTargets" (dict "root" $ "at" $at "name" $name "job" $job) -}}
{{- include "lifecycle-bridge.checkClient" (dict "at" $at "name" $name "job" $job) -}}
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
{{- with .Values.metrics.scrape.extraScrapeConfigs -}}
{{- if $idle -}}
{{- fail (printf "metrics.scrape.extraScrapeConfigs has jobs, but nothing is scraped, because %s, or empty the list" $idle) -}}
{{- end -}}
{{- range $index, $extra := . -}}
{{- $at := printf "metrics.scrape.extraScrapeConfigs[%d]" $index -}}
{{- if hasKey $jobs $extra.job_name }}{{ fail (printf "%s: there is a job %s already: Prometheus takes each job_name once" $at $extra.job_name) }}{{ end -}}
{{- $_ := set $jobs $extra.job_name $extra -}}
{{- include "lifecycle-bridge.checkExtra" (dict "root" $ "at" $at "extra" $extra) -}}
{{- end -}}
{{- end -}}
{{- if and (not $idle) (not $jobs) -}}
{{- fail (printf "backend.exporter is %s, but no job of metrics.scrape.jobs is on: the Collector would not start. Switch one on, or set backend.exporter: none" (include "lifecycle-bridge.metricsExporter" .)) -}}
{{- end -}}
{{- end -}}

{{/* Of a job in Prometheus' own words: what would stand in a ConfigMap, and what the Collector may not look for, which only its log would say. */}}
{{- define "lifecycle-bridge.checkExtra" -}}
{{- $at := .at -}}
{{- $root := .root -}}
{{- include "lifecycle-bridge.checkDollars" (dict "at" $at "pattern" (toJson .extra)) -}}
{{- with regexFind "\"(password|credentials|bearer_token|client_secret)\":" (toJson .extra) -}}
{{- $key := trimAll "\":" . -}}
{{- fail (printf "%s has %s, which would stand in a ConfigMap: mount a file of a Secret (collector.extraVolumes), and name it in %s_file" $at $key $key) -}}
{{- end -}}
{{- $scope := include "lifecycle-bridge.namespaces" $root | fromJsonArray -}}
{{- range $index, $sd := .extra.kubernetes_sd_configs -}}
{{- if and $scope (not (or $sd.api_server $sd.kubeconfig_file)) -}}
{{- $in := printf "%s.kubernetes_sd_configs[%d]" $at $index -}}
{{- if or (eq $sd.role "node") ($sd.attach_metadata).node }}{{ fail (printf "%s reads nodes, which needs scope: cluster" $in) }}{{ end -}}
{{- $names := concat (($sd.namespaces).names | default list) (ternary (list $root.Release.Namespace) list (not (empty ($sd.namespaces).own_namespace))) -}}
{{- if not $names }}{{ fail (printf "%s looks in all namespaces: name those in scope that it needs in namespaces.names (%s)" $in (join ", " $scope)) }}{{ end -}}
{{- range $names }}{{ if not (has . $scope) }}{{ fail (printf "%s: the namespace %s is not in scope (%s)" $in . (join ", " $scope)) }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether a job says what it scrapes, and that in one way. */}}
{{- define "lifecycle-bridge.checkTargets" -}}
{{- $job := .job -}}
{{- $at := .at -}}
{{- if has .name (list "kubelet" "cadvisor") -}}
{{- if ne .root.Values.scope "cluster" }}{{ fail (printf "%s reads nodes, which needs scope: cluster" $at) }}{{ end -}}
{{- else if $job.targets -}}
{{- range $key := list "selector" "port" "role" "namespaces" -}}
{{- if hasKey $job $key }}{{ fail (printf "%s has targets and %s: either addresses of your own (targets), or what the API finds (selector, port, role, namespaces)" $at $key) }}{{ end -}}
{{- end -}}
{{- range $index, $target := $job.targets -}}
{{- if and (not $job.prober) (contains "/" $target) -}}
{{- fail (printf "%s.targets[%d]: %s; a target is host:port; the rest is said by scheme, path and params, or by the prober for a probe" $at $index $target) -}}
{{- end -}}
{{- end -}}
{{- range $param := ternary (list "target" "module") list (not (empty $job.prober)) -}}
{{- if hasKey ($job.params | default dict) $param }}{{ fail (printf "%s.params has %s, which follows from targets and module: take it out" $at $param) }}{{ end -}}
{{- end -}}
{{- if and $job.module (not $job.prober) }}{{ fail (printf "%s has module, which is a module of a prober: name it in %s.prober" $at $at) }}{{ end -}}
{{- else if not (has .name (include "lifecycle-bridge.ownJobs" . | fromJsonArray)) -}}
{{- range $key := list "labels" "prober" "module" -}}
{{- if hasKey $job $key }}{{ fail (printf "%s has %s, which goes with targets, such as [host:9100]" $at $key) }}{{ end -}}
{{- end -}}
{{- if gt (int $job.intervalSeconds) 60 -}}
{{- fail (printf "%s.intervalSeconds: %v; allowed: 15 to 60; 15 to 300 for a job with targets" $at $job.intervalSeconds) -}}
{{- end -}}
{{- if ne .name "annotated-pods" -}}
{{- if not $job.selector }}{{ fail (printf "%s needs selector, the labels of its pods (or of its Services, with role: endpointslice), or targets" $at) }}{{ end -}}
{{- if not $job.port }}{{ fail (printf "%s needs port, the name or number of a port of its containers (with role: endpointslice the name of a port of the Service, or the number of one of its pods)" $at) }}{{ end -}}
{{- if and (ne (toString $job.role) "endpointslice") (gt (len (toString $job.port)) 15) -}}
{{- fail (printf "%s.port: %v; the name of a container's port has at most 15 characters, that of a Service's (with role: endpointslice) 63" $at $job.port) -}}
{{- end -}}
{{- end -}}
{{- $scope := include "lifecycle-bridge.namespaces" .root | fromJsonArray -}}
{{- range $job.namespaces }}{{ if and $scope (not (has . $scope)) -}}
{{- fail (printf "%s: the namespace %s is not in scope (%s)" $at . (join ", " $scope)) -}}
{{- end }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* How a job proves who it is, and whom it believes. */}}
{{- define "lifecycle-bridge.checkClient" -}}
{{- $at := .at -}}
{{- $tls := .job.tls | default dict -}}
{{- $asks := or $tls.caFile $tls.caKey -}}
{{- if and $tls (not (has .name (list "kubelet" "cadvisor" "annotated-pods"))) (ne (toString .job.scheme) "https") -}}
{{- fail (printf "%s.tls says how certificates are verified, but it is scraped without TLS: set scheme: https" $at) -}}
{{- end -}}
{{- if and $tls.insecureSkipVerify $asks -}}
{{- fail (printf "%s.tls has an authority and insecureSkipVerify: true, so nothing is compared with it: set insecureSkipVerify: false" $at) -}}
{{- end -}}
{{- if and $tls.caFile $tls.caKey }}{{ fail (printf "%s.tls has caFile and caKey: one of them" $at) }}{{ end -}}
{{- if ne (empty $tls.certKey) (empty $tls.keyKey) }}{{ fail (printf "%s.tls: certKey and keyKey go together: a certificate and its private key" $at) }}{{ end -}}
{{- $keys := or $tls.caKey $tls.certKey -}}
{{- if and $keys (not $tls.existingSecret) }}{{ fail (printf "%s.tls has keys of a Secret: name it in %s.tls.existingSecret" $at $at) }}{{ end -}}
{{- if and $tls.existingSecret (not $keys) }}{{ fail (printf "%s.tls.existingSecret: say which of its keys are used: caKey, or certKey and keyKey, such as ca.crt, tls.crt and tls.key" $at) }}{{ end -}}
{{- if eq (lower (trim ((.job.authorization).type | default ""))) "basic" }}{{ fail (printf "%s.authorization.type: Basic; Prometheus wants a user and a password in %s.basicAuth" $at $at) }}{{ end -}}
{{- if and .job.basicAuth .job.authorization }}{{ fail (printf "%s has basicAuth and authorization: one of them" $at) }}{{ end -}}
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
