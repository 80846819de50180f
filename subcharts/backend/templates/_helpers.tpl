{{/* Of one of both programs. Given: root, part (jaeger, victorialogs). */}}
{{- define "bundled-backend.name" -}}
{{- if gt (len .root.Release.Name) 32 -}}
{{- fail (printf "the release name %s has %d characters; names of Services and Pods need it to have at most 32" .root.Release.Name (len .root.Release.Name)) -}}
{{- end -}}
{{ .root.Release.Name }}-{{ .part }}
{{- end -}}

{{- define "bundled-backend.selector" -}}
app.kubernetes.io/name: {{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{/* Of pods: without the chart's version, which would roll what has not changed. */}}
{{- define "bundled-backend.podLabels" -}}
{{ include "bundled-backend.selector" . }}
app.kubernetes.io/part-of: lifecycle-bridge
app.kubernetes.io/component: bundled-backend
{{- with (index .root.Values .part).image.tag }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bundled-backend.labels" -}}
{{ include "bundled-backend.podLabels" . }}
{{ include "bundled-backend.chartLabels" .root }}
{{- end -}}

{{- define "bundled-backend.chartLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with (.Values.global).commonLabels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{- define "bundled-backend.metadata" -}}
labels: {{- include "bundled-backend.labels" . | nindent 2 }}
{{- with (.root.Values.global).commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels of its pods, with those of the user, who may not give one of ours: it would be there twice. */}}
{{- define "bundled-backend.templateLabels" -}}
{{- $own := include "bundled-backend.podLabels" . | fromYaml -}}
{{- range $label, $_ := .root.Values.podLabels -}}
{{- if hasKey $own $label }}{{ fail (printf "bundled-backend.podLabels has %s, which the chart itself sets: take it out" $label) }}{{ end -}}
{{- end -}}
{{- merge $own (.root.Values.podLabels | default dict) ((.root.Values.global).commonLabels | default dict) | toYaml -}}
{{- end -}}

{{- define "bundled-backend.image" -}}
{{- $image := (index .root.Values .part).image -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail (printf "bundled-backend.%s.image has neither tag nor digest: set one" .part) -}}
{{- end -}}
{{- with .root.Values.global }}{{ with .imageRegistry }}{{ . }}/{{ end }}{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag }}{{ end -}}
{{- end -}}

{{- define "bundled-backend.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (printf "%s-bundled-backend" .Release.Name) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{/* 80 % of .amount in MiB; .at is where it stands. */}}
{{- define "bundled-backend.most" -}}
{{- $amount := toString .amount -}}
{{- if not (regexMatch "^[0-9]+(Mi|Gi|Ti)$" $amount) -}}
{{- fail (printf "bundled-backend.%s is %s: write it in Mi or Gi, such as 512Mi" .at $amount) -}}
{{- end -}}
{{- $mib := mul (int (regexFind "^[0-9]+" $amount)) (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[A-Z]i$" $amount)) -}}
{{- div (mul $mib 4) 5 }}MiB
{{- end -}}

{{/* What of the pod is the same for both. */}}
{{- define "bundled-backend.pod" -}}
serviceAccountName: {{ include "bundled-backend.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.global }}{{ with .imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}{{ end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .root.Values.podSpec }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What of the container is the same for both. Also given: probe, the path and port that say that it serves. */}}
{{- define "bundled-backend.container" -}}
image: {{ include "bundled-backend.image" . }}
imagePullPolicy: {{ (index .root.Values .part).image.pullPolicy }}
startupProbe:
  httpGet: {{ toJson .probe }}
  initialDelaySeconds: 2 # asked too early it would be a Warning
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {{ toJson .probe }}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {{ toJson .probe }}
  periodSeconds: 5
  timeoutSeconds: 3
resources: {{- toYaml (index .root.Values .part).resources | nindent 2 }}
securityContext: {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- end -}}

{{/* Who may reach it. Given also: senders (names of pods of the release) and ingest, the name of their port. */}}
{{- define "bundled-backend.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "bundled-backend.name" . }}
  namespace: {{ .root.Release.Namespace }}
  {{- include "bundled-backend.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{- include "bundled-backend.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        {{- range .senders }}
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ . }}
              app.kubernetes.io/instance: {{ $.root.Release.Name }}
        {{- end }}
      ports: [{ port: {{ .ingest }}, protocol: TCP }]
    {{- with .root.Values.networkPolicy.from }}
    - from: {{- toYaml . | nindent 8 }}
      ports: [{ port: http, protocol: TCP }]
    {{- end }}
  egress: []
{{- end -}}
