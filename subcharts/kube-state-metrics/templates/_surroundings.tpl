{{/* What stands around the workload: its Service, its account and its NetworkPolicy. */}}
{{- define "kube-state-metrics.surroundings" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "kube-state-metrics.name" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "kube-state-metrics.metadata" . | nindent 2 }}
spec:
  selector: {{- include "kube-state-metrics.selector" . | nindent 4 }}
  ports:
    - { name: metrics, port: 8080, targetPort: metrics, appProtocol: http }
    - { name: telemetry, port: 8081, targetPort: telemetry, appProtocol: http }
{{- if .Values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "kube-state-metrics.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "kube-state-metrics.metadata" (merge (dict "Annotations" .Values.serviceAccount.annotations) .) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
{{- if .Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "kube-state-metrics.name" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "kube-state-metrics.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{- include "kube-state-metrics.selector" . | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: collector
              app.kubernetes.io/instance: {{ .Release.Name }}
        {{- with .Values.networkPolicy.from }}{{ toYaml . | nindent 8 }}{{ end }}
      ports: [{ port: metrics, protocol: TCP }, { port: telemetry, protocol: TCP }]
{{- end }}
{{- end -}}
