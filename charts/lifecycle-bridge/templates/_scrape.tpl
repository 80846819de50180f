{{/*
The scrape jobs as Prometheus has them. Its input is the root context. Users write $1; the Collector wants $$1, and the
caller replaces it.
*/}}
{{- define "lifecycle-bridge.scrapeConfigs" -}}
{{- range $name, $job := include "lifecycle-bridge.jobs" . | fromJson }}
- job_name: {{ $name | quote }}
  scrape_interval: {{ int $job.intervalSeconds }}s
  scrape_timeout: {{ int $job.timeoutSeconds }}s
  sample_limit: {{ int64 $job.sampleLimit }}
  label_limit: {{ int64 $job.labelLimit }}
  {{- $arguments := dict "root" $ "name" $name "job" $job }}
  {{- include "lifecycle-bridge.scrapeOptions" $arguments | indent 2 }}
  {{- if has $name (list "kube-state-metrics" "collector" "bridge") }}
  {{- include "lifecycle-bridge.ownTarget" $arguments | nindent 2 }}
  {{- else if has $name (list "kubelet" "cadvisor") }}
  {{- include "lifecycle-bridge.nodeTargets" $arguments | nindent 2 }}
  {{- else if $job.targets }}
  {{- include "lifecycle-bridge.staticTargets" $arguments | nindent 2 }}
  {{- else }}
  {{- include "lifecycle-bridge.foundTargets" $arguments | nindent 2 }}
  {{- end }}
  {{- if or $job.keep $job.drop $job.metricRelabel }}
  metric_relabel_configs:
    {{- with $job.keep }}
    - { source_labels: [__name__], action: keep, regex: {{ join "|" . | quote }} }
    {{- end }}
    {{- with $job.drop }}
    - { source_labels: [__name__], action: drop, regex: {{ join "|" . | quote }} }
    {{- end }}
    {{- with $job.metricRelabel }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
{{- end }}
{{- with .Values.metrics.scrape.extraScrapeConfigs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What a job may set beside its targets, each on a line of its own. Given: name, job. */}}
{{- define "lifecycle-bridge.scrapeOptions" -}}
{{- with .job.path | default (ternary "/probe" "" (not (empty .job.prober))) }}
metrics_path: {{ . | quote }}
{{- end }}
{{- with .job.scheme }}
scheme: {{ . }}
{{- end }}
{{- $params := .job.params | default dict }}
{{- with .job.module }}{{ $params = merge (dict "module" (list .)) $params }}{{ end }}
{{- with $params }}
params: {{ toJson . }}
{{- end }}
{{- with .job.bodySizeLimit }}
body_size_limit: {{ . }}
{{- end }}
{{- range $limit := list "targetLimit" "labelNameLengthLimit" "labelValueLengthLimit" }}
{{- with get $.job $limit }}
{{ snakecase $limit }}: {{ int64 . }}
{{- end }}
{{- end }}
{{- range $honored := list "honorLabels" "honorTimestamps" }}
{{- if hasKey $.job $honored }}
{{ snakecase $honored }}: {{ get $.job $honored }}
{{- end }}
{{- end }}
{{- with .job.basicAuth }}
basic_auth: { username_file: /etc/otelcol/scrape/{{ $.name }}/username, password_file: /etc/otelcol/scrape/{{ $.name }}/password }
{{- end }}
{{- with .job.authorization }}
authorization: { type: {{ .type | default "Bearer" | quote }}, credentials_file: /etc/otelcol/scrape/{{ $.name }}/credentials }
{{- end }}
{{- end -}}

{{/* What certificates are compared with, and ours: the authorities of the system, unless `authority` or the job names another one. */}}
{{- define "lifecycle-bridge.scrapeTls" -}}
{{- $tls := .job.tls | default dict -}}
{{- $files := dict "caKey" "ca_file" "certKey" "cert_file" "keyKey" "key_file" -}}
{{- $client := dict -}}
{{- if $tls.insecureSkipVerify }}{{ $_ := set $client "insecure_skip_verify" true }}{{ end -}}
{{- with $tls.caFile | default (ternary "" .authority (or (not (empty $tls.insecureSkipVerify)) (empty .authority))) }}{{ $_ := set $client "ca_file" . }}{{ end -}}
{{- with $tls.serverName }}{{ $_ := set $client "server_name" . }}{{ end -}}
{{- range $key, $option := $files -}}
{{- if get $tls $key }}{{ $_ := set $client $option (printf "/etc/otelcol/scrape/%s/%s" $.name (trimSuffix "_file" $option)) }}{{ end -}}
{{- end -}}
{{- with $client }}
tls_config: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* The Secrets of the jobs that are on, as the sources of a projected volume (JSON): JOB/ca, JOB/password, and so on. */}}
{{- define "lifecycle-bridge.scrapeSecrets" -}}
{{- $sources := list -}}
{{- range $name, $job := include "lifecycle-bridge.jobs" . | fromJson -}}
{{- $tls := $job.tls | default dict -}}
{{- $basic := $job.basicAuth | default dict -}}
{{- $authorization := $job.authorization | default dict -}}
{{- range $from := list
  (dict "secret" $tls.existingSecret "keys" (dict "ca" $tls.caKey "cert" $tls.certKey "key" $tls.keyKey))
  (dict "secret" $basic.existingSecret "keys" (dict "username" ($basic.usernameKey | default "username") "password" ($basic.passwordKey | default "password")))
  (dict "secret" $authorization.existingSecret "keys" (dict "credentials" $authorization.key)) -}}
{{- if $from.secret -}}
{{- $items := list -}}
{{- range $file, $key := $from.keys }}{{ if $key }}{{ $items = append $items (dict "key" $key "path" (printf "%s/%s" $name $file)) }}{{ end }}{{ end -}}
{{- $sources = append $sources (dict "secret" (dict "name" $from.secret "items" $items)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $sources -}}
{{- end -}}
