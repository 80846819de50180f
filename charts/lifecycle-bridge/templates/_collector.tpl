{{/*
The Collector's configuration: the files of collector-config/, with the watch of each followed kind, and metrics; over them
collector.config.
*/}}
{{- define "lifecycle-bridge.collectorConfig" -}}
{{- $files := list "extensions" "service" -}}
{{- if .Subcharts.bridge -}}
{{- $files = concat $files (list "redaction" "processors" "exporters" "bridge-token") -}}
{{- range $kind, $_ := include "lifecycle-bridge.kinds" . | fromJson }}{{ $files = append $files (printf "watch/%s" $kind) }}{{ end -}}
{{- if include "collector.batches" .Subcharts.collector }}{{ $files = append $files "batch" }}{{ end -}}
{{- end -}}
{{- $config := dict -}}
{{- range $files -}}
{{- $config = mustMergeOverwrite $config ($.Files.Get (printf "files/collector-config/%s.yaml" .) | fromYaml) -}}
{{- end -}}
{{- if and .Subcharts.bridge (.Values.otlp.tls).existingSecret -}}
{{- $_ := set (index $config.exporters "otlp/bridge") "tls" (dict "ca_file" "/etc/otelcol/bridge-ca/ca.crt") -}}
{{- end -}}
{{- if and (ne (include "lifecycle-bridge.metricsExporter" .) "none") ((((.Subcharts.collector.Values.config).receivers).prometheus).config).scrape_configs -}}
{{- fail "collector.config has receivers.prometheus.config.scrape_configs, which would replace every job of the chart: put yours into metrics.scrape.extraScrapeConfigs" -}}
{{- end -}}
{{- mustMergeOverwrite $config (include "lifecycle-bridge.metricsConfig" . | fromYaml) (include "lifecycle-bridge.tracesConfig" . | fromYaml) (deepCopy (.Subcharts.collector.Values.config | default dict)) | toYaml -}}
{{- end -}}
