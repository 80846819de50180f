{{/* A Role with its RoleBinding in .namespace, or without one a ClusterRole with its ClusterRoleBinding. */}}
{{- define "lifecycle-bridge.grant" -}}
{{- $name := printf "%s:%s:%s" .root.Release.Namespace .root.Release.Name .workload }}
{{- $prefix := ternary "" "Cluster" (hasKey . "namespace") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  {{- include "lifecycle-bridge.metadata" .root | nindent 2 }}
rules: {{- range compact .rules }}{{ . | trim | nindent 2 }}{{ else }} []{{ end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  {{- include "lifecycle-bridge.metadata" .root | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: {{ $prefix }}Role, name: '{{ $name }}' }
subjects:
  - { kind: ServiceAccount, name: {{ .account | quote }}, namespace: {{ .root.Release.Namespace | quote }} }
{{- end -}}

{{- define "lifecycle-bridge.restartRules" }}
- apiGroups: ['']
  resources: [pods]
  resourceNames: [{{ . | quote }}]
  verbs: [delete]
{{- end -}}

{{- define "lifecycle-bridge.collectorLogRules" }}
- apiGroups: ['']
  resources: [pods/log]
  resourceNames: [{{ . | quote }}]
  verbs: [get]
{{- end -}}

{{- define "lifecycle-bridge.nodeRules" }}
- apiGroups: ['']
  resources: [nodes/metrics]
  verbs: [get]
{{- end -}}

{{- define "lifecycle-bridge.podRules" }}
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
{{- end -}}
