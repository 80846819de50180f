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
  {{- if has $name (list "kube-state-metrics" "collector" "bridge") }}
  {{- include "lifecycle-bridge.ownTarget" $arguments | nindent 2 }}
  {{- else if has $name (list "kubelet" "cadvisor") }}
  {{- include "lifecycle-bridge.nodeTargets" $arguments | nindent 2 }}
  {{- else }}
  {{- include "lifecycle-bridge.podTargets" $arguments | nindent 2 }}
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
{{- end -}}

{{/* A part of this release, by its Service. What kube-state-metrics reports is about other pods: it carries no pod of its own. */}}
{{- define "lifecycle-bridge.ownTarget" -}}
honor_labels: {{ eq .name "kube-state-metrics" }}
static_configs:
  - targets: ['{{ .root.Release.Name }}-{{ .name }}.{{ .root.Release.Namespace }}.svc:{{ ternary "8888" "8080" (eq .name "collector") }}']
    {{- if ne .name "kube-state-metrics" }}
    labels:
      k8s_namespace_name: {{ .root.Release.Namespace | quote }}
      k8s_pod_name: {{ .root.Release.Name }}-{{ .name }}-0
      k8s_container_name: {{ .name }}
      k8s_statefulset_name: {{ .root.Release.Name }}-{{ .name }}
    {{- end }}
{{- with .job.relabel }}
relabel_configs: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The kubelets of all nodes. Without insecureSkipVerify their certificates must be of the API's authority, or of caFile. */}}
{{- define "lifecycle-bridge.nodeTargets" -}}
{{- if ne .root.Values.scope "cluster" -}}
{{- fail (printf "metrics.scrape.jobs.%s reads nodes, which needs scope: cluster" .name) -}}
{{- end -}}
scheme: https
{{- if eq .name "cadvisor" }}
metrics_path: /metrics/cadvisor
{{- end }}
authorization: { credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token }
{{- include "lifecycle-bridge.scrapeTls" (dict "job" .job "name" .name "authority" "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt") }}
kubernetes_sd_configs: [{ role: node }]
relabel_configs:
  - { source_labels: [__meta_kubernetes_node_name], target_label: k8s_node_name }
  {{- with .job.relabel }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}

{{/* What certificates are compared with: the authorities of the system, unless `authority` or the job names another one. */}}
{{- define "lifecycle-bridge.scrapeTls" -}}
{{- if .job.insecureSkipVerify }}
{{- if .job.caFile }}
{{- fail (printf "metrics.scrape.jobs.%s has caFile and insecureSkipVerify: true, so nothing is compared with it: set insecureSkipVerify: false" .name) }}
{{- end }}
tls_config: { insecure_skip_verify: true }
{{- else }}
{{- with .job.caFile | default .authority }}
tls_config: { ca_file: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{/* Pods in scope, by label or by annotation. */}}
{{- define "lifecycle-bridge.podTargets" -}}
{{- $scope := include "lifecycle-bridge.namespaces" .root | fromJsonArray -}}
{{- $annotated := eq .name "annotated-pods" -}}
{{- if not (or $annotated .job.selector) -}}
{{- fail (printf "metrics.scrape.jobs.%s needs selector, the labels of its pods" .name) -}}
{{- end -}}
{{- if not (or $annotated .job.port) -}}
{{- fail (printf "metrics.scrape.jobs.%s needs port, the name or number of a container's port" .name) -}}
{{- end -}}
{{- range .job.namespaces }}{{ if and $scope (not (has . $scope)) -}}
{{- fail (printf "metrics.scrape.jobs.%s: the namespace %s is not in scope (%s)" $.name . (join ", " $scope)) -}}
{{- end }}{{ end -}}
{{- if and (not $annotated) (ne (toString .job.scheme) "https") (or .job.caFile .job.insecureSkipVerify) -}}
{{- fail (printf "metrics.scrape.jobs.%s says how certificates are verified, but is scraped without TLS: set scheme: https" .name) -}}
{{- end -}}
{{- with .job.path }}
metrics_path: {{ . | quote }}
{{- end }}
{{- with .job.scheme }}
scheme: {{ . }}
{{- end }}
{{- include "lifecycle-bridge.scrapeTls" . }}
kubernetes_sd_configs:
  - role: pod
    {{- with .job.namespaces | default $scope }}
    namespaces: { names: {{ toJson . }} }
    {{- end }}
    {{- with .job.selector }}
    {{- $labels := list }}
    {{- range $key, $value := . }}{{ $labels = append $labels (printf "%s=%s" $key $value) }}{{ end }}
    selectors: [{ role: pod, label: {{ join "," $labels | quote }} }]
    {{- end }}
relabel_configs:
  - { source_labels: [__meta_kubernetes_pod_phase], action: drop, regex: Pending|Succeeded|Failed }
  - { source_labels: [__meta_kubernetes_pod_container_init], action: drop, regex: 'true' }
  {{- if $annotated }}
  - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: 'true' }
  - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scheme], regex: '(https?)', target_label: __scheme__ }
  - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], regex: (.+), target_label: __metrics_path__ }
  - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port], action: keep, regex: '[0-9]+' }
  # The annotation names the port: what is found for each port of each container becomes one target, which is taken once.
  - { source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port], regex: '([0-9.]+);(.+)', replacement: '$1:$2', target_label: __address__ }
  - { source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port], regex: '(.*:.*);(.+)', replacement: '[$1]:$2', target_label: __address__ }
  {{- else if kindIs "string" .job.port }}
  - { source_labels: [__meta_kubernetes_pod_container_port_name], action: keep, regex: {{ .job.port | quote }} }
  {{- else }}
  - { source_labels: [__meta_kubernetes_pod_container_port_number], action: keep, regex: '{{ .job.port }}' }
  {{- end }}
  - { source_labels: [__meta_kubernetes_namespace], target_label: k8s_namespace_name }
  - { source_labels: [__meta_kubernetes_pod_name], target_label: k8s_pod_name }
  - { source_labels: [__meta_kubernetes_pod_uid], target_label: k8s_pod_uid }
  {{- if not $annotated }}
  - { source_labels: [__meta_kubernetes_pod_container_name], target_label: k8s_container_name }
  {{- end }}
  - { source_labels: [__meta_kubernetes_pod_node_name], target_label: k8s_node_name }
  {{- range $kind := list "ReplicaSet" "StatefulSet" "DaemonSet" "Job" }}
  - { source_labels: [__meta_kubernetes_pod_controller_kind, __meta_kubernetes_pod_controller_name], regex: {{ $kind }};(.+), target_label: k8s_{{ lower $kind }}_name }
  {{- end }}
  {{- with .job.relabel }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}
