{{/*
The workload: one, because two would watch and scrape everything twice. .Checksum is that of its configuration;
.SecretEnv are variables from Secrets, .Mounted are volumes by their folder under /etc/otelcol.
*/}}
{{- define "collector.statefulset" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "collector.name" . }}
  namespace: {{ .Release.Namespace }}
  {{- include "collector.metadata" . | nindent 2 }}
spec:
  replicas: 1
  serviceName: {{ include "collector.name" . }}
  # There is one pod. With OrderedReady one that never becomes ready, such as by a wrong image, would never be replaced.
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "collector.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "collector.templateLabels" . | nindent 8 }}
      annotations:
        checksum/config: {{ .Checksum }}
        {{- with .Values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "collector.serviceAccount" . }}
      automountServiceAccountToken: true # it watches
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      {{- with .Values.global }}{{ with .imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}{{ end }}
      containers:
        - name: collector
          image: {{ include "collector.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: ['--config=file:/etc/otelcol/config/collector.yaml']
          envFrom:
            - configMapRef: { name: {{ include "collector.name" . }}-env }
          env:
            {{- include "collector.variables" . | nindent 12 }}
            - { name: GOMEMLIMIT, value: {{ include "collector.goMemory" (dict "at" "collector.resources" "resources" .Values.resources) }} }
            {{- with .Values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          ports:
            - { name: metrics, containerPort: 8888 }
            - { name: health, containerPort: 13133 }
          {{- include "collector.probes" . | nindent 10 }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/otelcol/config, readOnly: true }
            {{- range $name, $_ := .Mounted }}
            - { name: {{ $name }}, mountPath: /etc/otelcol/{{ $name }}, readOnly: true }
            {{- end }}
            - { name: queue, mountPath: /var/lib/otelcol }
            {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: config
          configMap: { name: {{ include "collector.name" . }} }
        {{- range $name, $source := .Mounted }}
        - name: {{ $name }}
          {{- toYaml $source | nindent 10 }}
        {{- end }}
        {{- if not .Values.persistence.enabled }}
        - name: queue
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
        name: queue
        labels: {{- include "collector.selector" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources: { requests: { storage: {{ .Values.persistence.size }} } }
  {{- end }}
{{- end -}}
