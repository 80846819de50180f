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
