{{- define "collector.name" -}}
{{- if gt (len .Release.Name) 32 -}}
{{- fail (printf "the release name %s has %d characters; names of Services and Pods need it to have at most 32" .Release.Name (len .Release.Name)) -}}
{{- end -}}
{{ .Release.Name }}-collector
{{- end -}}

{{- define "collector.selector" -}}
app.kubernetes.io/name: collector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of pods: without the chart's version, which would roll what has not changed. */}}
{{- define "collector.podLabels" -}}
{{ include "collector.selector" . }}
app.kubernetes.io/part-of: lifecycle-bridge
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
{{- end -}}

{{- define "collector.labels" -}}
{{ include "collector.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with (.Values.global).commonLabels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* Of each object. .Annotations are its own beside those of all. */}}
{{- define "collector.metadata" -}}
labels: {{- include "collector.labels" . | nindent 2 }}
{{- with merge dict (.Annotations | default dict) ((.Values.global).commonAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels of its pods, with those of the user, who may not give one of ours: it would be there twice. */}}
{{- define "collector.templateLabels" -}}
{{- $own := include "collector.podLabels" . | fromYaml -}}
{{- range $label, $_ := .Values.podLabels -}}
{{- if hasKey $own $label }}{{ fail (printf "collector.podLabels has %s, which the chart itself sets: take it out" $label) }}{{ end -}}
{{- end -}}
{{- merge $own (.Values.podLabels | default dict) ((.Values.global).commonLabels | default dict) | toYaml -}}
{{- end -}}

{{- define "collector.image" -}}
{{- with .Values.global }}{{ with .imageRegistry }}{{ . }}/{{ end }}{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/*
The N of release 0.N that runs, by the image's tag; empty when that does not say. A digest wins over the tag, but who gives
both means the same by them. No other number counts: 2026.1.2 or 1.4 belong to a Collector of one's own.
*/}}
{{- define "collector.minor" -}}
{{- $tag := .Values.image.tag | default (ternary .Chart.AppVersion "" (empty .Values.image.digest)) | toString -}}
{{- if regexMatch "^v?0[.][1-9][0-9]{0,4}([.][0-9]+)?([-_].*)?$" $tag -}}
{{- $tag | trimPrefix "v" | trimPrefix "0." | regexFind "^[0-9]+" -}}
{{- end -}}
{{- end -}}

{{/* Whether its queue is to send batches and to block when it is full; empty: no. */}}
{{- define "collector.batches" -}}
{{- $batch := .Values.queue.batch | toString -}}
{{- if or (eq $batch "true") (and (eq $batch "auto") (ge (int (include "collector.minor" .)) 130)) }}true{{ end -}}
{{- end -}}

{{- define "collector.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "collector.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{/* 80 % of a memory limit, for GOMEMLIMIT: .resources, which stand .at this place in the values. */}}
{{- define "collector.goMemory" -}}
{{- $limit := .resources.limits.memory | toString -}}
{{- if not (regexMatch "^[0-9]+(Mi|Gi)$" $limit) -}}
{{- fail (printf "%s.limits.memory is %s: write it in Mi or Gi, such as 512Mi" .at $limit) -}}
{{- end -}}
{{- $mib := mul (int (regexFind "^[0-9]+" $limit)) (ternary 1024 1 (hasSuffix "Gi" $limit)) -}}
{{- div (mul $mib 4) 5 }}MiB
{{- end -}}

{{- define "collector.probes" -}}
startupProbe:
  httpGet: { path: /, port: health }
  initialDelaySeconds: 2 # asked too early it would be a Warning
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /, port: health }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /, port: health }
  periodSeconds: 5
  timeoutSeconds: 3
{{- end -}}

{{/* Variables of each pod: its addresses, and those from Secrets (.SecretEnv). */}}
{{- define "collector.variables" -}}
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- /* In brackets, which an IPv6 address needs and an IPv4 address may have; 0.0.0.0 is every address to Go, also of IPv6. */}}
- { name: HEALTH_ENDPOINT, value: '[$(POD_IP)]:13133' }
- { name: METRICS_HOST, value: '0.0.0.0' }
{{- range $name, $from := .SecretEnv }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $from.existingSecret | quote }}, key: {{ $from.key | quote }} } }
{{- end }}
{{- end -}}

{{/* The umbrella chart renders workload, configuration and permissions itself, because only it knows the checksums. */}}
{{- define "collector.byUmbrella" -}}
{{- if hasSuffix "lifecycle-bridge/charts/collector/templates" .Template.BasePath }}true{{ end -}}
{{- end -}}

{{/* What a configuration lists and watches: the objects of its k8sobjects receivers, and where Prometheus finds its targets. */}}
{{- define "collector.rules" -}}
{{- $finds := dict "pod" (list "/pods") "node" (list "/nodes") "service" (list "/services") "ingress" (list "networking.k8s.io/ingresses")
  "endpoints" (list "/endpoints" "/services" "/pods") "endpointslice" (list "discovery.k8s.io/endpointslices" "/services" "/pods") -}}
{{- $read := dict -}}
{{- range $receiver, $is := .receivers -}}
{{- if hasPrefix "k8sobjects" $receiver -}}
{{- range ($is).objects }}{{ $_ := set $read (printf "%s/%s" (.group | default "") .name) true }}{{ end -}}
{{- else if hasPrefix "prometheus" $receiver -}}
{{- range (($is).config).scrape_configs }}{{ range .kubernetes_sd_configs -}}
{{- range get $finds .role }}{{ $_ := set $read . true }}{{ end -}}
{{- if (.attach_metadata).node }}{{ $_ := set $read "/nodes" true }}{{ end -}}
{{- end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range keys $read | sortAlpha }}
- apiGroups: [{{ splitList "/" . | first | quote }}]
  resources: [{{ splitList "/" . | last | quote }}]
  verbs: [list, watch]
{{- end }}
{{- end -}}
