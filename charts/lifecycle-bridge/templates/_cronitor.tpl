{{/* Fails on a destination without a key, on a key in values that nobody allowed, and on a namespace nobody watches. */}}
{{- define "lifecycle-bridge.checkAccounts" -}}
{{- $scope := include "lifecycle-bridge.namespaces" . | fromJsonArray -}}
{{- range $name, $account := .Values.cronitor -}}
{{- range $account.namespaces -}}
{{- if and $scope (not (has . $scope)) -}}
{{- fail (printf "cronitor.%s: the namespace %s is not in scope (%s)" $name . (join ", " $scope)) -}}
{{- end -}}
{{- end -}}
{{- if and $account.apiKey $account.existingSecret -}}
{{- fail (printf "cronitor.%s has apiKey and existingSecret: one of them" $name) -}}
{{- else if and $account.apiKey (not $.Values.allowInlineSecrets) -}}
{{- fail (printf "cronitor.%s.apiKey is a secret in values, which Helm stores and shows: make a Secret and name it in cronitor.%s.existingSecret, or set allowInlineSecrets: true" $name $name) -}}
{{- else if not (or $account.apiKey $account.existingSecret) -}}
{{- fail (printf "cronitor.%s needs existingSecret, the name of a Secret with the API key" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The destinations as bridge.yaml has them, and the Secrets behind them. */}}
{{- define "lifecycle-bridge.cronitor" -}}
{{- range $name, $account := .Values.cronitor }}
{{ $name | quote }}:
  apiKeyFile: /etc/lifecycle-bridge/secrets/cronitor-{{ $name }}
  {{- with omit $account "existingSecret" "key" "apiKey" }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end -}}

{{- define "lifecycle-bridge.bridgeSecrets" -}}
otlp-token: { existingSecret: {{ include "lifecycle-bridge.otlpToken" . | quote }}, key: {{ .Values.otlp.token.acceptedKey | default .Values.otlp.token.key | quote }} }
{{- range $name, $account := .Values.cronitor }}
cronitor-{{ $name }}:
  {{- if $account.existingSecret }}
  existingSecret: {{ $account.existingSecret | quote }}
  key: {{ $account.key | default "api-key" | quote }}
  {{- else }}
  existingSecret: {{ $.Release.Name }}-cronitor
  key: {{ $name | quote }}
  {{- end }}
{{- end }}
{{- with (.Values.otlp.tls).existingSecret }}
otlp-tls.crt: { existingSecret: {{ . | quote }}, key: tls.crt }
otlp-tls.key: { existingSecret: {{ . | quote }}, key: tls.key }
{{- end }}
{{- end -}}
