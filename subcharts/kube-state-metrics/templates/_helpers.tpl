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
{{- with (.Values.global).commonLabels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* Of each object. .Annotations are its own beside those of all. */}}
{{- define "kube-state-metrics.metadata" -}}
labels: {{- include "kube-state-metrics.labels" . | nindent 2 }}
{{- with merge dict (.Annotations | default dict) ((.Values.global).commonAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels of its pods, with those of the user, who may not give one of ours: it would be there twice. */}}
{{- define "kube-state-metrics.templateLabels" -}}
{{- $own := include "kube-state-metrics.podLabels" . | fromYaml -}}
{{- range $label, $_ := .Values.podLabels -}}
{{- if hasKey $own $label }}{{ fail (printf "kube-state-metrics.podLabels has %s, which the chart itself sets: take it out" $label) }}{{ end -}}
{{- end -}}
{{- merge $own (.Values.podLabels | default dict) ((.Values.global).commonLabels | default dict) | toYaml -}}
{{- end -}}

{{- define "kube-state-metrics.image" -}}
{{- with .Values.global }}{{ with .imageRegistry }}{{ . }}/{{ end }}{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}{{ end -}}
{{- end -}}

{{- define "kube-state-metrics.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "kube-state-metrics.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{/* The umbrella chart renders all of it itself: only it knows the scope, and whether anybody wants metrics. */}}
{{- define "kube-state-metrics.byUmbrella" -}}
{{- if hasSuffix "lifecycle-bridge/charts/kube-state-metrics/templates" .Template.BasePath }}true{{ end -}}
{{- end -}}

{{/* What kube-state-metrics knows: of each kind its API group and how the names of its metrics begin. */}}
{{- define "kube-state-metrics.kinds" -}}
{{- .Files.Get "files/kinds.yaml" -}}
{{- end -}}

{{/* Kinds with a namespace, as a JSON list. */}}
{{- define "kube-state-metrics.collectors" -}}
{{- concat .Values.collectors .Values.extraCollectors | uniq | toJson -}}
{{- end -}}

{{/* list and watch on each of .Kinds. */}}
{{- define "kube-state-metrics.rules" -}}
{{- $known := include "kube-state-metrics.kinds" . | fromYaml -}}
{{- range .Kinds }}
- apiGroups: ['{{ (index $known .).group }}']
  resources: [{{ . }}]
  verbs: [list, watch]
{{- end }}
{{- end -}}
