{{/* Whether the Collector passes traces and lifecycle logs of the bridge on to the backend; empty: no. */}}
{{- define "lifecycle-bridge.carries" -}}
{{- if and .Subcharts.bridge .Subcharts.collector .Values.backend.traces (has .Values.backend.exporter (list "debug" "otlp" "otlphttp")) }}true{{ end -}}
{{- end -}}

{{/*
What the bridge sends of runs: pipelines of their own, with a queue on disk that is never given up. The receiver answers after
the queue has it.
*/}}
{{- define "lifecycle-bridge.tracesConfig" -}}
{{- if include "lifecycle-bridge.carries" . }}
{{- $exporter := printf "%s/lifecycle" .Values.backend.exporter }}
{{- $settings := get (include "lifecycle-bridge.backendExporter" . | fromYaml) (include "lifecycle-bridge.backendName" .) }}
{{- if ne .Values.backend.exporter "debug" }}
{{- $_ := set $settings "retry_on_failure" (dict "enabled" true "initial_interval" "1s" "max_interval" "30s" "max_elapsed_time" "0s") }}
{{- $_ := set $settings "sending_queue" (dict "enabled" true "storage" "file_storage" "queue_size" 20000) }}
{{- end }}
receivers:
  otlp/lifecycle:
    protocols:
      grpc: { endpoint: "${env:LIFECYCLE_ENDPOINT:-0.0.0.0:4317}" }
exporters:
  {{ $exporter }}: {{ toJson $settings }}
service:
  pipelines:
    traces/lifecycle:
      receivers: [otlp/lifecycle]
      processors: [resource/release]
      exporters: [{{ $exporter }}]
    logs/lifecycle:
      receivers: [otlp/lifecycle]
      processors: [resource/release]
      exporters: [{{ $exporter }}]
{{- end }}
{{- end -}}

{{/* The part of the Collector's configuration that scrapes and sends metrics; empty while there is no backend. */}}
{{- define "lifecycle-bridge.metricsConfig" -}}
{{- if ne .Values.backend.exporter "none" }}
receivers:
  prometheus:
    config:
      # Every $ is doubled: the Collector makes one of two.
      scrape_configs: {{- include "lifecycle-bridge.scrapeConfigs" . | replace "$" "$$" | nindent 8 }}
processors:
  # Scraping may be refused: the next sample comes in seconds. Nothing of the kind stands behind the watches.
  memory_limiter: { check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 15 }
  # Where a sample was taken belongs to its resource, as in logs and traces.
  transform/kubernetes:
    error_mode: ignore
    metric_statements:
      - context: datapoint
        statements:
          {{- range $name := list "namespace" "pod" "container" "node" "replicaset" "statefulset" "daemonset" "job" }}
          - set(resource.attributes["k8s.{{ $name }}.name"], attributes["k8s_{{ $name }}_name"]) where attributes["k8s_{{ $name }}_name"] != nil
          - delete_key(attributes, "k8s_{{ $name }}_name")
          {{- end }}
          - set(resource.attributes["k8s.pod.uid"], attributes["k8s_pod_uid"]) where attributes["k8s_pod_uid"] != nil
          - delete_key(attributes, "k8s_pod_uid")
  resource/release:
    attributes:
      - { action: upsert, key: k8s.cluster.name, value: {{ .Values.cluster.name | quote }} }
      - { action: upsert, key: helm.release.name, value: {{ .Release.Name | quote }} }
      - { action: upsert, key: helm.release.namespace, value: {{ .Release.Namespace | quote }} }
      {{- with .Values.cluster.environment }}
      - { action: upsert, key: deployment.environment.name, value: {{ . | replace "$" "$$" | quote }} }
      {{- end }}
      {{- range $key, $value := .Values.backend.resourceAttributes }}
      {{- if has $key (list "k8s.cluster.name" "deployment.environment.name" "helm.release.name" "helm.release.namespace") }}
      {{- fail (printf "backend.resourceAttributes has %s, which the chart itself sets: take it out; cluster.name and cluster.environment change two of them" $key) }}
      {{- end }}
      - { action: upsert, key: {{ $key | quote }}, value: {{ $value | replace "$" "$$" | quote }} }
      {{- end }}
  batch: { send_batch_size: 1000, send_batch_max_size: 2000, timeout: 5s }
exporters: {{- include "lifecycle-bridge.backendExporter" . | nindent 2 }}
service:
  pipelines:
    metrics:
      receivers: [prometheus]
      processors: [memory_limiter, transform/kubernetes, resource/release, batch]
      exporters: [{{ include "lifecycle-bridge.backendName" . }}]
{{- end }}
{{- end -}}

{{- define "lifecycle-bridge.backendName" -}}
{{ .Values.backend.exporter }}/backend
{{- end -}}

{{- define "lifecycle-bridge.backendExporter" -}}
{{- $backend := .Values.backend -}}
{{ include "lifecycle-bridge.backendName" . }}:
{{- if eq $backend.exporter "debug" }}
  verbosity: basic
{{- else }}
  {{- include "lifecycle-bridge.checkEndpoint" $backend }}
  endpoint: {{ $backend.endpoint | replace "$" "$$" | quote }}
  {{- if eq $backend.exporter "prometheusremotewrite" }}
  {{- if hasSuffix "opentelemetry-collector-k8s" .Subcharts.collector.Values.image.repository }}
  {{- fail "backend.exporter: prometheusremotewrite is not in the image opentelemetry-collector-k8s: set collector.image.repository to a build that has it, such as ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib, or use otlp or otlphttp" }}
  {{- end }}
  resource_to_telemetry_conversion: { enabled: true }
  {{- else }}
  sending_queue: { enabled: true, storage: file_storage, queue_size: 500 }
  {{- end }}
  # A backend that is away for longer has a gap; metrics are not worth a full disk.
  retry_on_failure: { enabled: true, max_elapsed_time: 30m }
  {{- if or $backend.insecure $backend.caBundle.existingConfigMap }}
  tls:
    {{- if $backend.insecure }}
    insecure: true
    {{- end }}
    {{- if $backend.caBundle.existingConfigMap }}
    ca_file: /etc/otelcol/backend-ca/ca.crt
    {{- end }}
  {{- end }}
  {{- with $backend.headers }}
  headers:
    {{- range $header, $_ := . }}
    {{ $header | quote }}: ${env:{{ include "lifecycle-bridge.headerVariable" $header }}}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A name that the Collector takes for a variable; no two headers have the same. */}}
{{- define "lifecycle-bridge.headerVariable" -}}
BACKEND_{{ regexReplaceAll "[^A-Z0-9]" (upper .) "_" -}}
{{- if regexMatch "[^A-Za-z0-9-]" . }}_{{ . | lower | sha256sum | trunc 8 | upper }}{{ end -}}
{{- end -}}

{{/* What the exporter could not start with: it would take the watches with it. */}}
{{- define "lifecycle-bridge.checkEndpoint" -}}
{{- if not .endpoint -}}
{{- fail (printf "backend.exporter: %s needs backend.endpoint" .exporter) -}}
{{- end -}}
{{- if eq .exporter "otlp" -}}
{{- if not (regexMatch "^(https?://|dns:///?)?[^\\s/?#]+:[0-9]{1,5}$" .endpoint) -}}
{{- fail (printf "backend.endpoint is %s: with exporter otlp (gRPC) it is a host with a port, such as otel.example.com:4317" .endpoint) -}}
{{- end -}}
{{- else if not (regexMatch "^https?://[^\\s/?#:]+(:[0-9]{1,5})?(/[^\\s]*)?$" (regexReplaceAll "\\[[0-9A-Fa-f:.]+\\]" .endpoint "ipv6")) -}}
{{- fail (printf "backend.endpoint is %s: with exporter %s it is a URL, such as https://otel.example.com:4318" .endpoint .exporter) -}}
{{- end -}}
{{- end -}}
