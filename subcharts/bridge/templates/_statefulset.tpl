{{/*
The workload. .Checksum is that of its configuration; .Secrets are files beside those of .Values.secrets.
*/}}
{{- define "bridge.statefulset" -}}
{{- if and (ne (int .Values.replicas) 0) (ne (int .Values.replicas) 1) -}}
{{- fail (printf "bridge.replicas is %v: one bridge owns the store, so it is 1, or 0 to stop it. While it restarts the Collector keeps everything on disk" .Values.replicas) -}}
{{- end -}}
{{- $secrets := merge dict (.Secrets | default dict) (.Values.secrets | default dict) -}}
{{- if and (eq .Values.page.auth "token") .Values.page.existingSecret -}}
{{- $_ := set $secrets "page-token" (dict "existingSecret" .Values.page.existingSecret "key" .Values.page.key) -}}
{{- end -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "bridge.name" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "bridge.metadata" . | nindent 2 }}
spec:
  replicas: {{ .Values.replicas }}
  serviceName: {{ include "bridge.name" . }}
  # There is one pod. With OrderedReady one that never becomes ready, such as by a wrong image, would never be replaced.
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "bridge.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "bridge.templateLabels" . | nindent 8 }}
      annotations:
        checksum/config: {{ .Checksum }}
        {{- with .Values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "bridge.serviceAccount" . }}
      automountServiceAccountToken: true # it LISTs
      enableServiceLinks: false
      # 10 s for exports that came in, 5 s for requests to vendors, and the store is closed.
      terminationGracePeriodSeconds: 30
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      {{- with .Values.global }}{{ with .imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}{{ end }}
      containers:
        - name: bridge
          image: {{ include "bridge.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: [run]
          env:
            - { name: LIFECYCLE_BRIDGE_CONFIG, value: /etc/lifecycle-bridge/config/bridge.yaml }
            - name: POD_NAMESPACE
              valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
            - { name: NODE_OPTIONS, value: --max-old-space-size={{ include "bridge.heap" . }} }
            {{- if .Values.caBundle.existingConfigMap }}
            - { name: NODE_EXTRA_CA_CERTS, value: /etc/lifecycle-bridge/ca/ca.crt }
            {{- end }}
            {{- with .Values.proxy }}
            {{- if .https }}
            - { name: HTTPS_PROXY, value: {{ .https | quote }} }
            {{- end }}
            {{- if .http }}
            - { name: HTTP_PROXY, value: {{ .http | quote }} }
            {{- end }}
            {{- if or .https .http }}
            - { name: NO_PROXY, value: {{ printf "$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local%s" (ternary (printf ",%s" .exclude) "" (ne .exclude "")) | quote }} }
            {{- end }}
            {{- end }}
            {{- with .Values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          ports:
            - { name: otlp, containerPort: 4317 }
            - { name: http, containerPort: 8080 }
          # A large store is read through after an unclean end before the page answers. Asked too early it would be a Warning.
          startupProbe:
            httpGet: { path: /livez, port: http }
            initialDelaySeconds: 3
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 150
          # Fails when the thread of the store has not answered for two minutes: only a restart helps then. What is judged by
          # minutes is asked each half minute, and a second time before it is believed.
          livenessProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 30
            failureThreshold: 2
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 10
            failureThreshold: 2
            timeoutSeconds: 3
          resources: {{- toYaml .Values.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/lifecycle-bridge/config, readOnly: true }
            {{- if $secrets }}
            - { name: secrets, mountPath: /etc/lifecycle-bridge/secrets, readOnly: true }
            {{- end }}
            {{- if .Values.caBundle.existingConfigMap }}
            - { name: ca, mountPath: /etc/lifecycle-bridge/ca, readOnly: true }
            {{- end }}
            - { name: data, mountPath: /var/lib/lifecycle-bridge }
            - { name: tmp, mountPath: /tmp }
            {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: config
          configMap: { name: {{ include "bridge.name" . }} }
        {{- if $secrets }}
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              {{- range $file, $from := $secrets }}
              - secret:
                  name: {{ $from.existingSecret | quote }}
                  items: [{ key: {{ $from.key | quote }}, path: {{ $file | quote }} }]
              {{- end }}
        {{- end }}
        {{- with .Values.caBundle }}{{ if .existingConfigMap }}
        - name: ca
          configMap:
            name: {{ .existingConfigMap | quote }}
            items: [{ key: {{ .key | quote }}, path: ca.crt }]
        {{- end }}{{ end }}
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
        {{- if not .Values.persistence.enabled }}
        - name: data
          emptyDir: { sizeLimit: {{ .Values.persistence.size }} }
        {{- end }}
        {{- with .Values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
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
  {{- if .Values.persistence.enabled }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
        labels: {{- include "bridge.selector" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources: { requests: { storage: {{ .Values.persistence.size }} } }
  {{- end }}
{{- end -}}
