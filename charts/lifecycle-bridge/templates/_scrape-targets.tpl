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

{{/* Pods in scope, by label or by annotation, or the endpoints of Services with these labels. */}}
{{- define "lifecycle-bridge.foundTargets" -}}
{{- $scope := include "lifecycle-bridge.namespaces" .root | fromJsonArray -}}
{{- $annotated := eq .name "annotated-pods" -}}
{{- $services := eq (toString .job.role) "endpointslice" -}}
{{- $ports := dict "name" "pod_container_port_name" "number" "pod_container_port_number" -}}
{{- if $services }}{{ $ports = dict "name" "endpointslice_port_name" "number" "endpointslice_port" }}{{ end -}}
{{- include "lifecycle-bridge.scrapeTls" . | trim }}
kubernetes_sd_configs:
  - role: {{ ternary "endpointslice" "pod" $services }}
    {{- with .job.namespaces | default $scope }}
    namespaces: { names: {{ toJson . }} }
    {{- end }}
    {{- with .job.selector }}
    {{- $labels := list }}
    {{- range $key, $value := . }}{{ $labels = append $labels (printf "%s=%s" $key $value) }}{{ end }}
    selectors: [{ role: {{ ternary "service" "pod" $services }}, label: {{ join "," $labels | quote }} }]
    {{- end }}
relabel_configs:
  {{- if $services }}
  # The selector above finds Services; what stands behind others has none of their labels.
  {{- range $key, $value := .job.selector }}
  {{- $label := regexReplaceAll "[^a-zA-Z0-9_]" $key "_" }}
  - { source_labels: [__meta_kubernetes_service_label_{{ $label }}, __meta_kubernetes_service_labelpresent_{{ $label }}], action: keep, regex: {{ printf "%s;true" (regexQuoteMeta $value) | quote }} }
  {{- end }}
  {{- end }}
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
  - { source_labels: [__meta_kubernetes_{{ $ports.name }}], action: keep, regex: {{ .job.port | quote }} }
  {{- else }}
  - { source_labels: [__meta_kubernetes_{{ $ports.number }}], action: keep, regex: '{{ .job.port }}' }
  {{- end }}
  {{- if $services }}
  # A Service of both IP families has slices of each: with the first address of its pod they become one target, which is taken once.
  {{- $address := "__meta_kubernetes_endpointslice_address_type, __meta_kubernetes_pod_ip, __meta_kubernetes_endpointslice_port" }}
  - { source_labels: [{{ $address }}], regex: 'IPv6;([0-9.]+);(.+)', replacement: '$1:$2', target_label: __address__ }
  - { source_labels: [{{ $address }}], regex: 'IPv4;(.*:.*);(.+)', replacement: '[$1]:$2', target_label: __address__ }
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

{{/* The addresses that a job names, or what a prober says about them. */}}
{{- define "lifecycle-bridge.staticTargets" -}}
{{- include "lifecycle-bridge.scrapeTls" . | trim }}
static_configs:
  - targets: {{ toJson .job.targets }}
    {{- with .job.labels }}
    labels: {{ toJson . }}
    {{- end }}
{{- if or .job.prober .job.relabel }}
relabel_configs:
  {{- with .job.prober }}
  - { source_labels: [__address__], target_label: __param_target }
  - { source_labels: [__address__], target_label: instance }
  - { target_label: __address__, replacement: {{ . | quote }} }
  {{- end }}
  {{- with .job.relabel }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end -}}
