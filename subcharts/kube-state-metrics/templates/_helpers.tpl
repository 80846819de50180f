{{- define "kube-state-metrics.name" -}}
{{- if gt (len .Release.Name) 32 -}}
{{- fail (printf "the release name %s has %d characters; names of Services and Pods need it to have at most 32" .Release.Name (len .Release.Name)) -}}
{{- end -}}
{{ .Release.Name }}-kube-state-metrics
{{- end -}}

{{- define "kube-state-metrics.selector" -}}
app.kubernetes.io/name: kube-state-metrics
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of pods: without the chart's version, which would roll what has not changed. */}}
{{- define "kube-state-metrics.podLabels" -}}
{{ include "kube-state-metrics.selector" . }}
app.kubernetes.io/part-of: lifecycle-bridge
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
{{- end -}}

{{- define "kube-state-metrics.labels" -}}
{{ include "kube-state-metrics.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kube-state-metrics.image" -}}
{{- with .Values.global }}{{ with .imageRegistry }}{{ . }}/{{ end }}{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}{{ end -}}
{{- end -}}

{{- define "kube-state-metrics.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "kube-state-metrics.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{/* The umbrella chart renders workload and permissions itself, because only it knows the scope. */}}
{{- define "kube-state-metrics.byUmbrella" -}}
{{- if hasSuffix "lifecycle-bridge/charts/kube-state-metrics/templates" .Template.BasePath }}true{{ end -}}
{{- end -}}

{{- define "kube-state-metrics.group" -}}
{{- $groups := dict "cronjobs" "batch" "jobs" "batch" "daemonsets" "apps" "deployments" "apps" "replicasets" "apps"
  "statefulsets" "apps" "horizontalpodautoscalers" "autoscaling" "poddisruptionbudgets" "policy" "ingresses"
  "networking.k8s.io" "networkpolicies" "networking.k8s.io" -}}
{{- get $groups . -}}
{{- end -}}

{{/* list and watch on each kind. */}}
{{- define "kube-state-metrics.rules" -}}
{{- range . }}
- apiGroups: ['{{ include "kube-state-metrics.group" . }}']
  resources: [{{ . }}]
  verbs: [list, watch]
{{- end }}
{{- end -}}
