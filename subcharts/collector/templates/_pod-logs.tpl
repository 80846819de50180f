{{- define "collector.podLogsName" -}}
{{ .Release.Name }}-pod-logs
{{- end -}}

{{- define "collector.podLogsSelector" -}}
app.kubernetes.io/name: pod-logs
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "collector.podLogsLabels" -}}
{{- merge (include "collector.podLogsSelector" . | fromYaml) (include "collector.labels" . | fromYaml) | toYaml -}}
{{- end -}}

{{- define "collector.podLogsMetadata" -}}
labels: {{- include "collector.podLogsLabels" . | nindent 2 }}
{{- with (.Values.global).commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* On every node one that reads the logs of its pods from the disk. Checksum, SecretEnv and Mounted are those of the StatefulSet. */}}
{{- define "collector.daemonset" -}}
{{- $name := include "collector.podLogsName" . -}}
{{- $minor := int (include "collector.minor" .) -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  {{- include "collector.podLogsMetadata" . | nindent 2 }}
spec:
  updateStrategy: { rollingUpdate: { maxUnavailable: 10% } } # what is away reads on where it was
  selector:
    matchLabels: {{- include "collector.podLogsSelector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- merge (include "collector.podLogsSelector" . | fromYaml) (include "collector.templateLabels" . | fromYaml) | toYaml | nindent 8 }}
      annotations:
        checksum/config: {{ .Checksum }}
        {{- with .Values.podLogs.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true # it asks whose pods these are
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext: {{- toYaml .Values.podLogs.podSecurityContext | nindent 8 }}
      {{- with .Values.global }}{{ with .imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}{{ end }}
      containers:
        - name: pod-logs
          image: {{ include "collector.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args:
            - --config=file:/etc/otelcol/config/collector.yaml
            {{- /* There from 0.122 and still off in 0.162; a Collector that does not know it any more would not start. */}}
            {{- if and (ge $minor 122) (le $minor 162) }}
            - --feature-gates=stanza.synchronousLogEmitter # a kill loses no line that was read but is not in the queue
            {{- end }}
          env:
            {{- include "collector.variables" . | nindent 12 }}
            - { name: GOMEMLIMIT, value: {{ include "collector.goMemory" (dict "at" "collector.podLogs.resources" "resources" .Values.podLogs.resources) }} }
            - { name: STORAGE_DIR, value: /var/lib/otelcol }
            - name: NODE_NAME
              valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
            {{- with .Values.podLogs.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          ports:
            - { name: metrics, containerPort: 8888 }
            - { name: health, containerPort: 13133 }
          {{- include "collector.probes" . | nindent 10 }}
          resources: {{- toYaml .Values.podLogs.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.podLogs.securityContext | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/otelcol/config, readOnly: true }
            {{- range $volume, $_ := .Mounted }}
            - { name: {{ $volume }}, mountPath: /etc/otelcol/{{ $volume }}, readOnly: true }
            {{- end }}
            - { name: logs, mountPath: /var/log/pods, readOnly: true }
            - { name: state, mountPath: /var/lib/otelcol }
            {{- with .Values.podLogs.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: config
          configMap: { name: {{ $name }} }
        {{- range $volume, $source := .Mounted }}
        - name: {{ $volume }}
          {{- toYaml $source | nindent 10 }}
        {{- end }}
        - name: logs
          hostPath: { path: {{ .Values.podLogs.hostPaths.logs | quote }} }
        - name: state
          hostPath: { path: {{ printf "%s/%s-%s" .Values.podLogs.hostPaths.state .Release.Namespace .Release.Name | quote }}, type: DirectoryOrCreate }
        {{- with .Values.podLogs.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .Values.podLogs.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.podLogs.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.podLogs.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.podLogs.priorityClassName }}
      priorityClassName: {{ . | quote }}
      {{- end }}
      {{- with .Values.podLogs.podSpec }}{{ toYaml . | nindent 6 }}{{ end }}
{{- end -}}
