{{/* bridge.yaml: what the chart decides, over it bridge.config, over that what this chart has words for. */}}
{{- define "lifecycle-bridge.bridgeConfig" -}}
{{- $bridge := .Subcharts.bridge.Values.config | default dict -}}
{{- $namespaces := include "lifecycle-bridge.namespaces" . | fromJsonArray -}}
{{- $cluster := dict "name" .Values.cluster.name "scope" ($namespaces | default "cluster") -}}
{{- $otlp := dict "tokenFile" "/etc/lifecycle-bridge/secrets/otlp-token" -}}
{{- if (.Values.otlp.tls).existingSecret -}}
{{- $_ := set $otlp "tls" (dict "certFile" "/etc/lifecycle-bridge/secrets/otlp-tls.crt" "keyFile" "/etc/lifecycle-bridge/secrets/otlp-tls.key") -}}
{{- end -}}
{{- with include "lifecycle-bridge.restartedPod" . -}}
{{- if not (dig "cluster" "collectorPods" list $bridge) -}}
{{- $_ := set $cluster "collectorPods" (list (printf "%s/%s" $.Release.Namespace .)) -}}
{{- end -}}
{{- end -}}
{{- with include "lifecycle-bridge.loggedPod" . -}}
{{- if not (dig "cluster" "collectorLogs" list $bridge) -}}
{{- $_ := set $cluster "collectorLogs" (list (printf "%s/%s" $.Release.Namespace .)) -}}
{{- end -}}
{{- end -}}
{{- $outcomes := merge (dict "cluster" $cluster "otlp" $otlp) (include "lifecycle-bridge.destinations" . | fromYaml) -}}
{{- with include "lifecycle-bridge.carries" . -}}
{{- $signals := fromJsonArray . -}}
{{- $collector := printf "http://%s:4317" (include "collector.name" $.Subcharts.collector) -}}
{{- $receivers := get $outcomes "opentelemetry" | default dict -}}
{{- if not $receivers }}{{ $_ := set $receivers "backend" dict }}{{ end -}}
{{- range $name, $given := $receivers -}}
{{- if not $given.endpoint -}}
{{- $_ := set $given "endpoint" $collector -}}
{{- range $signal := list "traces" "logs" }}{{ if not (has $signal $signals) }}{{ $_ := set $given $signal false }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $outcomes "opentelemetry" $receivers -}}
{{- if and (has "logs" $signals) (not (dig "log" "otlpEndpoint" "" $bridge)) }}{{ $_ := set $outcomes "log" (dict "otlpEndpoint" $collector) }}{{ end -}}
{{- if and (has "traces" $signals) (hasKey $bridge "tracing") (not (dig "tracing" "otlpEndpoint" "" $bridge)) }}{{ $_ := set $outcomes "tracing" (dict "otlpEndpoint" $collector) }}{{ end -}}
{{- else -}}
{{- range $name, $given := get $outcomes "opentelemetry" | default dict -}}
{{- if not $given.endpoint -}}
{{- fail (printf "opentelemetry.%s has no endpoint, and the Collector of this release passes on neither traces nor logs: set opentelemetry.%s.endpoint, or a backend for them (backend.exporter: otlp, otlphttp or debug, with backend.traces: true and the Collector)" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.watch }}{{ $_ := set $outcomes "watch" . }}{{ end -}}
{{- mustMergeOverwrite (include "bridge.base" .Subcharts.bridge | fromYaml) (deepCopy $bridge) $outcomes | toYaml -}}
{{- end -}}

{{/* The kinds that are followed, as JSON by name; none without the bridge. */}}
{{- define "lifecycle-bridge.kinds" -}}
{{- with .Subcharts.bridge -}}
{{ include "bridge.kinds" (dict "Files" .Files "Config" (include "lifecycle-bridge.bridgeConfig" $ | fromYaml)) }}
{{- else }}{}{{ end -}}
{{- end -}}
