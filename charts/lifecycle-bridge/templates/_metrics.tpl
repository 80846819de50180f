{{/*
What a signal (metrics, traces, logs) is sent to, as JSON: backend, and over it backend.signals.SIGNAL. Given: root, signal.
`at` is where that stands in the values. Traces and logs go to the bundled backend where there is one.
*/}}
{{- define "lifecycle-bridge.backendOf" -}}
{{- if and (ne .signal "metrics") (index .root.Subcharts "bundled-backend") -}}
{{- include "lifecycle-bridge.bundledBackendOf" . -}}
{{- else -}}
{{- $own := get (.root.Values.backend.signals | default dict) .signal | default dict -}}
{{- $backend := omit (deepCopy .root.Values.backend) "signals" -}}
{{- range $key, $value := $own }}{{ $_ := set $backend $key $value }}{{ end -}}
{{- $_ := set $backend "signal" .signal -}}
{{- $_ := set $backend "at" (ternary (printf "backend.signals.%s" .signal) "backend" (or (hasKey $own "exporter") (hasKey $own "endpoint"))) -}}
{{- toJson $backend -}}
{{- end -}}
{{- end -}}

{{/* The same of traces and logs with bundled-backend.enabled. Fails where the values name another backend for them. */}}
{{- define "lifecycle-bridge.bundledBackendOf" -}}
{{- if get (.root.Values.backend.signals | default dict) .signal -}}
{{- fail (printf "bundled-backend.enabled and backend.signals.%s contradict each other: take backend.signals.%s out, or set bundled-backend.enabled: false" .signal .signal) -}}
{{- end -}}
{{- if and (has .root.Values.backend.exporter (list "otlp" "otlphttp")) .root.Values.backend.endpoint -}}
{{- fail (printf "bundled-backend.enabled would take traces and logs away from backend.endpoint (%s): set bundled-backend.enabled: false, or write that backend as backend.signals.metrics, if it is for metrics" (include "lifecycle-bridge.withoutUser" .root.Values.backend.endpoint)) -}}
{{- end -}}
{{- $name := printf "%s-%s" .root.Release.Name (ternary "jaeger" "victorialogs" (eq .signal "traces")) -}}
{{- $backend := dict "signal" .signal "at" "bundled-backend" "headers" dict "caBundle" (dict "existingConfigMap" "") -}}
{{- if eq .signal "traces" -}}
{{- merge $backend (dict "exporter" "otlp" "endpoint" (printf "%s:4317" $name) "insecure" true) | toJson -}}
{{- else -}}
{{- merge $backend (dict "exporter" "otlphttp" "endpoint" (printf "http://%s:9428/insert/opentelemetry" $name) "insecure" false) | toJson -}}
{{- end -}}
{{- end -}}

{{- define "lifecycle-bridge.exporterOf" -}}
{{- get (include "lifecycle-bridge.backendOf" . | fromJson) "exporter" -}}
{{- end -}}

{{- define "lifecycle-bridge.metricsExporter" -}}
{{- include "lifecycle-bridge.exporterOf" (dict "root" . "signal" "metrics") -}}
{{- end -}}

{{/* The signals that the Collector passes on from the bridge, as a JSON list: traces, logs, both or none. */}}
{{- define "lifecycle-bridge.carries" -}}
{{- $signals := list -}}
{{- if and .Subcharts.bridge .Subcharts.collector .Values.backend.traces -}}
{{- range $signal := list "traces" "logs" -}}
{{- if has (include "lifecycle-bridge.exporterOf" (dict "root" $ "signal" $signal)) (list "debug" "otlp" "otlphttp") }}{{ $signals = append $signals $signal }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $signals }}{{ toJson $signals }}{{ end -}}
{{- end -}}

{{/*
What the bridge sends of runs: pipelines of their own, with a queue on disk that is never given up. The receiver answers after
the queue has it.
*/}}
{{- define "lifecycle-bridge.tracesConfig" -}}
{{- with include "lifecycle-bridge.carries" . }}
receivers:
  otlp/lifecycle:
    protocols:
      grpc: { endpoint: "${env:LIFECYCLE_ENDPOINT:-0.0.0.0:4317}" }
processors: {{- include "lifecycle-bridge.releaseProcessor" $ | nindent 2 }}
exporters:
  {{- range $signal := fromJsonArray . }}
  {{- $backend := include "lifecycle-bridge.backendOf" (dict "root" $ "signal" $signal) | fromJson }}
  {{ $backend.exporter }}/lifecycle-{{ $signal }}: {{ include "lifecycle-bridge.patientExporter" (dict "root" $ "backend" $backend "size" 20000) }}
  {{- end }}
service:
  pipelines:
    {{- range $signal := fromJsonArray . }}
    {{ $signal }}/lifecycle:
      receivers: [otlp/lifecycle]
      processors: [resource/release]
      exporters: [{{ include "lifecycle-bridge.exporterOf" (dict "root" $ "signal" $signal) }}/lifecycle-{{ $signal }}]
    {{- end }}
{{- end }}
{{- end -}}

{{/* The part of the Collector's configuration that scrapes and sends metrics; empty while there is no backend. */}}
{{- define "lifecycle-bridge.metricsConfig" -}}
{{- $backend := include "lifecycle-bridge.backendOf" (dict "root" . "signal" "metrics") | fromJson }}
{{- if ne $backend.exporter "none" }}
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
  {{- include "lifecycle-bridge.releaseProcessor" . | nindent 2 }}
  batch: { send_batch_size: 1000, send_batch_max_size: 2000, timeout: 5s }
exporters:
  {{ $backend.exporter }}/backend: {{- include "lifecycle-bridge.exporterSettings" (dict "root" . "backend" $backend) | nindent 4 }}
service:
  pipelines:
    metrics:
      receivers: [prometheus]
      processors: [memory_limiter, transform/kubernetes, resource/release, batch]
      exporters: [{{ $backend.exporter }}/backend]
{{- end }}
{{- end -}}

{{/* Where what is sent comes from. */}}
{{- define "lifecycle-bridge.releaseProcessor" -}}
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
{{- end -}}

{{/* Settings of an exporter. Given: root, and backend as backendOf has it. */}}
{{- define "lifecycle-bridge.exporterSettings" -}}
{{- $backend := .backend -}}
{{- if eq $backend.exporter "debug" }}
verbosity: basic
{{- else }}
{{- include "lifecycle-bridge.checkEndpoint" $backend }}
endpoint: {{ $backend.endpoint | replace "$" "$$" | quote }}
{{- if eq $backend.exporter "prometheusremotewrite" }}
{{- if hasSuffix "opentelemetry-collector-k8s" .root.Subcharts.collector.Values.image.repository }}
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
# With a second variable, which is empty, it is text: by itself the Collector would take 123 for a number, and not start.
headers:
  {{- range $header, $_ := . }}
  {{ $header | quote }}: ${env:{{ include "lifecycle-bridge.headerVariable" (dict "root" $.root "signal" $backend.signal "header" $header) }}}${env:NOTHING:-}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
A name that the Collector takes for a variable; no two headers have the same. Given: root, signal, header. Signals with headers of
their own have variables of their own.
*/}}
{{- define "lifecycle-bridge.headerVariable" -}}
{{- if hasKey (get (.root.Values.backend.signals | default dict) .signal | default dict) "headers" }}{{ upper .signal }}_{{ end }}BACKEND_
{{- regexReplaceAll "[^A-Z0-9]" (upper .header) "_" -}}
{{- if regexMatch "[^A-Za-z0-9-]" .header }}_{{ .header | lower | sha256sum | trunc 8 | upper }}{{ end -}}
{{- end -}}

{{/* An endpoint as an error may show it: what stands before an @ may be a password, whatever is in it. */}}
{{- define "lifecycle-bridge.withoutUser" -}}
{{- regexReplaceAll "^([A-Za-z]+:/+)?.*@" . "${1}<redacted>@" -}}
{{- end -}}

{{/* What the exporter could not start with: it would take the watches with it. */}}
{{- define "lifecycle-bridge.checkEndpoint" -}}
{{- if not .endpoint -}}
{{- fail (printf "%s.exporter: %s needs %s.endpoint" .at .exporter .at) -}}
{{- end -}}
{{- $host := "(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)" -}}
{{- $port := "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])" -}}
{{- if eq .exporter "otlp" -}}
{{- if not (regexMatch (printf "^(https?://|dns:///?)?%s:%s$" $host $port) .endpoint) -}}
{{- fail (printf "%s.endpoint is %s: with exporter otlp (gRPC) it is a host with a port, such as otel.example.com:4317 or [fd00::1]:4317" .at (include "lifecycle-bridge.withoutUser" .endpoint)) -}}
{{- end -}}
{{- else if not (regexMatch (printf "^https?://%s(:%s)?(/[^\\s]*)?$" $host $port) .endpoint) -}}
{{- fail (printf "%s.endpoint is %s: with exporter %s it is a URL without user and password, such as https://otel.example.com:4318" .at (include "lifecycle-bridge.withoutUser" .endpoint) .exporter) -}}
{{- end -}}
{{- end -}}
