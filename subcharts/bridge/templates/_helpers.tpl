{{- define "bridge.name" -}}
{{- if gt (len .Release.Name) 32 -}}
{{- fail (printf "the release name %s has %d characters; names of Services and Pods need it to have at most 32" .Release.Name (len .Release.Name)) -}}
{{- end -}}
{{ .Release.Name }}-bridge
{{- end -}}

{{- define "bridge.selector" -}}
app.kubernetes.io/name: bridge
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of pods: without the chart's version, which would roll what has not changed. */}}
{{- define "bridge.podLabels" -}}
{{ include "bridge.selector" . }}
app.kubernetes.io/part-of: lifecycle-bridge
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
{{- end -}}

{{- define "bridge.labels" -}}
{{ include "bridge.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with (.Values.global).commonLabels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* Of each object. .Annotations are its own beside those of all. */}}
{{- define "bridge.metadata" -}}
labels: {{- include "bridge.labels" . | nindent 2 }}
{{- with merge dict (.Annotations | default dict) ((.Values.global).commonAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels of its pods, with those of the user, who may not give one of ours: it would be there twice. */}}
{{- define "bridge.templateLabels" -}}
{{- $own := include "bridge.podLabels" . | fromYaml -}}
{{- range $label, $_ := .Values.podLabels -}}
{{- if hasKey $own $label }}{{ fail (printf "bridge.podLabels has %s, which the chart itself sets: take it out" $label) }}{{ end -}}
{{- end -}}
{{- merge $own (.Values.podLabels | default dict) ((.Values.global).commonLabels | default dict) | toYaml -}}
{{- end -}}

{{- define "bridge.noImage" -}}
{{- $image := printf "registry.example.com/lifecycle-bridge:%s" (.Values.image.tag | default .Chart.AppVersion) -}}
bridge.image.repository is not set, and no image of the bridge is published. Build it, take it to where your nodes can read it, and name it:
  docker build -f bridge/Dockerfile --build-arg VERSION={{ .Chart.AppVersion }} -t {{ $image }} .
  docker push {{ $image }}    # with kind instead: kind load docker-image {{ $image }}
  helm … --set bridge.image.repository=registry.example.com/lifecycle-bridge
{{- end -}}

{{- define "bridge.image" -}}
{{- if not .Values.image.repository }}{{ fail (include "bridge.noImage" .) }}{{ end -}}
{{- with .Values.global }}{{ with .imageRegistry }}{{ . }}/{{ end }}{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "bridge.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "bridge.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{/* Half of the memory limit, in MiB: the store's cache, buffers and a second heap take the rest. */}}
{{- define "bridge.heap" -}}
{{- $limit := .Values.resources.limits.memory | toString -}}
{{- if not (regexMatch "^[0-9]+(Mi|Gi)$" $limit) -}}
{{- fail (printf "bridge.resources.limits.memory is %s: write it in Mi or Gi, such as 512Mi" $limit) -}}
{{- end -}}
{{- $mib := int (regexFind "^[0-9]+" $limit) -}}
{{- div (mul $mib (ternary 1024 1 (hasSuffix "Gi" $limit))) 2 -}}
{{- end -}}

{{/* The page's address as people outside reach it; empty when it is not set. */}}
{{- define "bridge.publicUrl" -}}
{{- if .Values.page.publicUrl }}{{ .Values.page.publicUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.host (not (hasPrefix "*" .Values.ingress.host)) }}{{ ternary "https" "http" (not (empty .Values.ingress.tlsSecret)) }}://{{ .Values.ingress.host }}
{{- end }}
{{- end -}}

{{/* What of bridge.yaml the chart decides, merged under `config`. */}}
{{- define "bridge.base" -}}
otlp: { host: '::', port: 4317 } # every address, IPv4 and IPv6
store: { path: /var/lib/lifecycle-bridge/bridge.db }
web:
  host: '::'
  port: 8080
  auth: {{ .Values.page.auth }}
  {{- with include "bridge.publicUrl" . }}
  publicUrl: {{ . | quote }}
  {{- end }}
  {{- if and (eq .Values.page.auth "token") .Values.page.existingSecret }}
  tokenFile: /etc/lifecycle-bridge/secrets/page-token
  {{- else if eq .Values.page.auth "proxy-header" }}
  proxyHeader: {{ .Values.page.proxyHeader | quote }}
  {{- if not .Values.page.trustedProxies }}
  {{- fail "bridge.page.auth: proxy-header needs bridge.page.trustedProxies, the addresses of the proxies" }}
  {{- end }}
  trustedProxies: {{ toJson .Values.page.trustedProxies }}
  {{- end }}
{{- end -}}

{{/* The umbrella chart renders workload, configuration and permissions itself, because only it knows the checksums. */}}
{{- define "bridge.byUmbrella" -}}
{{- if hasSuffix "lifecycle-bridge/charts/bridge/templates" .Template.BasePath }}true{{ end -}}
{{- end -}}

{{/* Whether it writes an Event on a CronJob with annotations that cannot be read. */}}
{{- define "bridge.writesEvents" -}}
{{- if dig "cluster" "events" true (.Values.config | default dict) }}true{{ end -}}
{{- end -}}

{{/*
The verbs that a bridge with this .Config uses on what it follows: the audit LISTs, GETs what it found, and watches while the
Collector's watch of that kind is dead. What is not audited it LISTs after a gap. It reads logs where a destination takes them.
It changes objects where a destination does, and makes Events where `events` is on: nothing else writes.
*/}}
{{- define "bridge.rules" -}}
{{- range include "bridge.kinds" . | fromJson }}
- apiGroups: [{{ .group | quote }}]
  resources: [{{ .resource }}]
  verbs: [{{ ternary "get, list, watch" "list" (hasKey . "audited") }}]
{{- end }}
{{- $shipped := false }}
{{- range (.Files.Get "files/kinds.yaml" | fromYaml).shipLogs }}
{{- range get $.Config . | default dict }}{{ if ne (toString (.).shipLogs) "false" }}{{ $shipped = true }}{{ end }}{{ end }}
{{- end }}
{{- if $shipped }}
- apiGroups: ['']
  resources: [pods/log]
  verbs: [get]
{{- end }}
{{- $table := .Files.Get "files/kinds.yaml" | fromYaml }}
{{- range $sink, $kinds := $table.patches }}
{{- $writes := false }}
{{- range get $.Config $sink | default dict }}{{ if ne (toString (.).dryRun) "true" }}{{ $writes = true }}{{ end }}{{ end }}
{{- if $writes }}
{{- range $kinds }}
{{- $is := get $table.kinds . }}
- apiGroups: [{{ $is.group | quote }}]
  resources: [{{ $is.resource }}]
  verbs: [patch]
{{- end }}
{{- end }}
{{- end }}
{{- if include "bridge.writesEvents" . }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
{{- end -}}

{{/* The namespace's UID shows the store whether it still is in its cluster. */}}
{{- define "bridge.identityRules" -}}
- apiGroups: ['']
  resources: [namespaces]
  resourceNames: {{ .names | toJson }}
  verbs: [get]
{{- end -}}
