{{/* The workload. .Namespaces are those that it looks at; none means all, and then the kinds without a namespace too. */}}
{{- define "kube-state-metrics.deployment" -}}
{{- $namespaced := include "kube-state-metrics.collectors" . | fromJsonArray -}}
{{- $kinds := $namespaced -}}
{{- if not .Namespaces }}{{ $kinds = concat $kinds .Values.clusterCollectors }}{{ end -}}
{{- $known := include "kube-state-metrics.kinds" . | fromYaml -}}
{{- $labels := list -}}
{{- $metrics := concat .Values.metricAllowlist .Values.extraMetricAllowlist -}}
{{- range $kind, $keys := .Values.labelAllowlist -}}
{{- if not (has $kind (concat $namespaced $.Values.clusterCollectors)) -}}
{{- fail (printf "kube-state-metrics.labelAllowlist has %s, which is in none of collectors, extraCollectors and clusterCollectors: add it there, or take it out here" $kind) -}}
{{- end -}}
{{- $labels = append $labels (printf "%s=[%s]" $kind (join "," $keys)) -}}
{{- $metrics = append $metrics (printf "%s_labels" (index $known $kind).metrics) -}}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "kube-state-metrics.name" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "kube-state-metrics.metadata" . | nindent 2 }}
spec:
  replicas: 1
  strategy: { type: Recreate } # two at once would report everything twice
  selector:
    matchLabels: {{- include "kube-state-metrics.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "kube-state-metrics.templateLabels" . | nindent 8 }}
      {{- with .Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "kube-state-metrics.serviceAccount" . }}
      automountServiceAccountToken: true # it lists and watches
      enableServiceLinks: false
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      {{- with .Values.global }}{{ with .imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}{{ end }}
      containers:
        - name: kube-state-metrics
          image: {{ include "kube-state-metrics.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args:
            - --port=8080
            - --telemetry-port=8081
            - --resources={{ join "," $kinds }}
            {{- with .Namespaces }}
            - --namespaces={{ join "," . }}
            {{- end }}
            - {{ printf "--metric-allowlist=%s" (join "," $metrics) | quote }}
            {{- with $labels }}
            - {{ printf "--metric-labels-allowlist=%s" (join "," .) | quote }}
            {{- end }}
          ports:
            - { name: metrics, containerPort: 8080 }
            - { name: telemetry, containerPort: 8081 }
          startupProbe:
            httpGet: { path: /readyz, port: telemetry }
            initialDelaySeconds: 2 # asked too early it would be a Warning
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /livez, port: metrics }
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: /readyz, port: telemetry }
            periodSeconds: 5
            timeoutSeconds: 3
          resources: {{- toYaml .Values.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
      {{- with .Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.priorityClassName }}
      priorityClassName: {{ . | quote }}
      {{- end }}
      {{- with .Values.podSpec }}{{ toYaml . | nindent 6 }}{{ end }}
{{- end -}}
