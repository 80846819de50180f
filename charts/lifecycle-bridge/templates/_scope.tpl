{{/* The namespaces in scope as JSON; [] means all. Fails where scope and namespaces contradict each other. */}}
{{- define "lifecycle-bridge.namespaces" -}}
{{- if and .Values.namespaces (ne .Values.scope "namespaces") -}}
{{- fail (printf "namespaces is set, but scope is %s: set scope: namespaces, or empty the list" .Values.scope) -}}
{{- end -}}
{{- if and (eq .Values.scope "namespaces") (not .Values.namespaces) -}}
{{- fail "scope: namespaces needs the list namespaces, such as [shop, billing]" -}}
{{- end -}}
{{- if eq .Values.scope "namespace" }}{{ list .Release.Namespace | toJson }}
{{- else if eq .Values.scope "namespaces" }}{{ .Values.namespaces | uniq | sortAlpha | toJson }}
{{- else }}[]{{ end -}}
{{- end -}}

{{/* The Collector's pod, which the bridge may delete; empty where it may not. The StatefulSet has one replica. */}}
{{- define "lifecycle-bridge.restartedPod" -}}
{{- if and .Values.restartCollector .Subcharts.bridge .Subcharts.collector -}}
{{ include "collector.name" .Subcharts.collector }}-0
{{- end -}}
{{- end -}}

{{/* The pod of the Collector whose log says what a backend refuses; empty while there is no backend. */}}
{{- define "lifecycle-bridge.loggedPod" -}}
{{- if and .Subcharts.bridge .Subcharts.collector (or (include "lifecycle-bridge.carries" .) (ne (include "lifecycle-bridge.metricsExporter" .) "none")) -}}
{{ include "collector.name" .Subcharts.collector }}-0
{{- end -}}
{{- end -}}

{{- define "lifecycle-bridge.labels" -}}
app.kubernetes.io/name: lifecycle-bridge
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: lifecycle-bridge
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with (.Values.global).commonLabels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* Of each object. .Labels and .Annotations are its own beside those of all. */}}
{{- define "lifecycle-bridge.metadata" -}}
labels: {{- merge dict (.Labels | default dict) (include "lifecycle-bridge.labels" . | fromYaml) | toYaml | nindent 2 }}
{{- with merge dict (.Annotations | default dict) ((.Values.global).commonAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels by which objects are found are the chart's own: those of the user may not be these. */}}
{{- define "lifecycle-bridge.checkCommonLabels" -}}
{{- range $label, $_ := .Values.global.commonLabels -}}
{{- if regexMatch "^(app[.]kubernetes[.]io/(name|instance|part-of|version|managed-by|component)|helm[.]sh/chart)$" $label -}}
{{- fail (printf "global.commonLabels has %s, which the chart itself sets: take it out" $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* In a checkout the parts are packed into charts/ by a command: those of an older pull would be installed without a word. */}}
{{- define "lifecycle-bridge.checkParts" -}}
{{- range $name, $part := .Subcharts -}}
{{- if ne $part.Chart.Version $.Chart.Version -}}
{{- fail (printf "the part %s that is packed in charts/ is of version %s, the chart of %s: pack the parts again by helm dependency build charts/lifecycle-bridge" $name $part.Chart.Version $.Chart.Version) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lifecycle-bridge.otlpToken" -}}
{{- .Values.otlp.token.existingSecret | default (printf "%s-otlp" .Release.Name) -}}
{{- end -}}

{{- define "lifecycle-bridge.noToken" -}}
generateSecrets is false, so the token between Collector and bridge must be in a Secret of yours: make it, and name it in otlp.token.existingSecret
  kubectl -n {{ .Release.Namespace }} create secret generic lifecycle-bridge-otlp --from-literal={{ .Values.otlp.token.key }}=$(openssl rand -hex 24)
  helm … --set otlp.token.existingSecret=lifecycle-bridge-otlp
{{- end -}}

{{/* Whether kube-state-metrics is there: it is useless while metrics are sent nowhere. */}}
{{- define "lifecycle-bridge.kubeStateMetrics" -}}
{{- if and (index .Subcharts "kube-state-metrics") (ne (include "lifecycle-bridge.metricsExporter" .) "none") }}true{{ end -}}
{{- end -}}
