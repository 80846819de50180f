{{/* Variables from Secrets that exporters to the backend read, as YAML by name. Given: root, signals. */}}
{{- define "lifecycle-bridge.backendVariables" -}}
{{- $variables := dict -}}
{{- range $signal := .signals -}}
{{- $headers := dict -}}
{{- $backend := include "lifecycle-bridge.backendOf" (dict "root" $.root "signal" $signal) | fromJson -}}
{{- range $header, $from := $backend.headers -}}
{{- $variable := include "lifecycle-bridge.headerVariable" (dict "root" $.root "signal" $signal "header" $header) -}}
{{- if hasKey $headers $variable -}}
{{- fail (printf "the headers of %s have %s twice, in capitals and in small letters: a header has one name" $backend.at (lower $header)) -}}
{{- end -}}
{{- $_ := set $headers $variable $from -}}
{{- end -}}
{{- $variables = merge $variables $headers -}}
{{- end -}}
{{- toYaml $variables -}}
{{- end -}}

{{/* Volumes that they need, as YAML by their folder under /etc/otelcol. */}}
{{- define "lifecycle-bridge.backendMounted" -}}
{{- with .Values.backend.caBundle -}}
{{- if .existingConfigMap }}
backend-ca: { configMap: { name: {{ .existingConfigMap | quote }}, items: [{ key: {{ .key | quote }}, path: ca.crt }] } }
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An exporter whose queue on disk is never given up, as JSON. Given: root, backend as backendOf has it, size of the queue in requests. */}}
{{- define "lifecycle-bridge.patientExporter" -}}
{{- $settings := include "lifecycle-bridge.exporterSettings" (dict "root" .root "backend" .backend) | fromYaml -}}
{{- if ne .backend.exporter "debug" -}}
{{- $_ := set $settings "retry_on_failure" (dict "enabled" true "initial_interval" "1s" "max_interval" "30s" "max_elapsed_time" "0s") -}}
{{- $_ := set $settings "sending_queue" (dict "enabled" true "storage" "file_storage" "queue_size" .size) -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}
