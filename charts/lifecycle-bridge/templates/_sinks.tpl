{{/* Every sink that the bridge has: SECRET is the setting that holds its secret, if any (files/sinks.yaml). */}}
{{- define "lifecycle-bridge.sinks" -}}
{{ .Files.Get "files/sinks.yaml" }}
{{- end -}}

{{/* Fails on a destination without a secret, on one in values that is not allowed, and on a namespace that is not watched. */}}
{{- define "lifecycle-bridge.checkDestinations" -}}
{{- $scope := include "lifecycle-bridge.namespaces" . | fromJsonArray -}}
{{- range $sink, $has := include "lifecycle-bridge.sinks" . | fromYaml -}}
{{- range $name, $given := get $.Values $sink | default dict -}}
{{- range $given.namespaces -}}
{{- if and $scope (not (has . $scope)) -}}
{{- fail (printf "%s.%s: the namespace %s is not in scope (%s)" $sink $name . (join ", " $scope)) -}}
{{- end -}}
{{- end -}}
{{- with $has.secret -}}
{{- $inline := get $given . -}}
{{- if and $inline $given.existingSecret -}}
{{- fail (printf "%s.%s has %s and existingSecret: one of them" $sink $name .) -}}
{{- else if and $inline (not $.Values.allowInlineSecrets) -}}
{{- fail (printf "%s.%s.%s is a secret in values, which Helm stores and shows: make a Secret and name it in %s.%s.existingSecret, or set allowInlineSecrets: true" $sink $name . $sink $name) -}}
{{- else if not (or $inline $given.existingSecret $has.optional) -}}
{{- fail (printf "%s.%s needs existingSecret, the name of a Secret with the %s" $sink $name .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The destinations as bridge.yaml has them, by their sinks, and the Secrets behind them. */}}
{{- define "lifecycle-bridge.destinations" -}}
{{- range $sink, $has := include "lifecycle-bridge.sinks" . | fromYaml }}
{{- with get $.Values $sink }}
{{ $sink }}:
  {{- range $name, $given := . }}
  {{- $settings := omit $given "existingSecret" "key" ($has.secret | default "") }}
  {{- if not (or $given.existingSecret (get $given ($has.secret | default "")) (not $has.optional)) }}{{/* goes without */}}
  {{- else }}{{ with $has.secret }}{{ $_ := set $settings (printf "%sFile" .) (printf "/etc/lifecycle-bridge/secrets/%s-%s" $sink $name) }}{{ end }}{{ end }}
  {{ $name | quote }}: {{ toJson $settings }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "lifecycle-bridge.bridgeSecrets" -}}
otlp-token: { existingSecret: {{ include "lifecycle-bridge.otlpToken" . | quote }}, key: {{ .Values.otlp.token.acceptedKey | default .Values.otlp.token.key | quote }} }
{{- range $sink, $has := include "lifecycle-bridge.sinks" . | fromYaml }}
{{- if $has.secret }}
{{- range $name, $given := get $.Values $sink | default dict }}
{{- if or $given.existingSecret (get $given $has.secret) }}
{{ $sink }}-{{ $name }}:
  {{- if $given.existingSecret }}
  existingSecret: {{ $given.existingSecret | quote }}
  key: {{ $given.key | default $has.key | quote }}
  {{- else }}
  existingSecret: {{ $.Release.Name }}-{{ $sink }}
  key: {{ $name | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with (.Values.otlp.tls).existingSecret }}
otlp-tls.crt: { existingSecret: {{ . | quote }}, key: tls.crt }
otlp-tls.key: { existingSecret: {{ . | quote }}, key: tls.key }
{{- end }}
{{- end -}}
