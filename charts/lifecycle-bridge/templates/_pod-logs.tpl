{{/* Whether the logs of pods are read from the disks of their nodes; empty: no. Fails where nothing could come of it. */}}
{{- define "lifecycle-bridge.podLogs" -}}
{{- if .Values.backend.podLogs.enabled -}}
{{- $exporter := include "lifecycle-bridge.exporterOf" (dict "root" . "signal" "logs") -}}
{{- if not (has $exporter (list "debug" "otlp" "otlphttp")) -}}
{{- fail (printf "backend.podLogs.enabled needs a backend that takes logs, but backend.exporter is %s: set it, or backend.signals.logs.exporter, to otlp, otlphttp or debug" $exporter) -}}
{{- end -}}
{{- if not .Subcharts.collector -}}
{{- fail "backend.podLogs.enabled needs the Collector of this chart: set collector.enabled" -}}
{{- end -}}
{{- include "lifecycle-bridge.checkTails" . -}}
true
{{- end -}}
{{- end -}}

{{/* The namespaces whose logs are read, as JSON; [] means all. */}}
{{- define "lifecycle-bridge.podLogsNamespaces" -}}
{{- $scope := include "lifecycle-bridge.namespaces" . | fromJsonArray -}}
{{- range .Values.backend.podLogs.namespaces -}}
{{- if and $scope (not (has . $scope)) -}}
{{- fail (printf "backend.podLogs: the namespace %s is not in scope (%s)" . (join ", " $scope)) -}}
{{- end -}}
{{- end -}}
{{- $all := .Values.backend.podLogs.namespaces | default $scope | uniq | sortAlpha -}}
{{- $left := list -}}
{{- range $all }}{{ if not (has . $.Values.backend.podLogs.excludeNamespaces) }}{{ $left = append $left . }}{{ end }}{{ end -}}
{{- if and $all (not $left) -}}
{{- fail (printf "backend.podLogs.excludeNamespaces leaves nothing of %s: take one out, or set backend.podLogs.enabled: false" (join ", " $all)) -}}
{{- end -}}
{{- toJson $left -}}
{{- end -}}

{{/* Fails where the bridge sends tails of the same logs to the same backend: each line would be there twice. */}}
{{- define "lifecycle-bridge.checkTails" -}}
{{- $own := include "lifecycle-bridge.podLogsNamespaces" . | fromJsonArray -}}
{{- $scope := include "lifecycle-bridge.namespaces" . | fromJsonArray -}}
{{- range $name, $given := .Values.opentelemetry -}}
{{- if and $.Subcharts.bridge $given.podLogs (not $given.endpoint) -}}
{{- $tails := $given.namespaces | default $scope -}}
{{- $both := ternary "every namespace" "" (not (or $tails $own)) -}}
{{- range $tails | default $own -}}
{{- if and (has . ($tails | default $own)) (has . ($own | default $tails)) (not (has . ($given.excludeNamespaces | default list))) (not (has . $.Values.backend.podLogs.excludeNamespaces)) -}}
{{- $both = printf "the namespace %s" . -}}
{{- end -}}
{{- end -}}
{{- with $both -}}
{{- fail (printf "backend.podLogs.enabled and opentelemetry.%s.podLogs would both send the logs of %s, each line twice: set opentelemetry.%s.podLogs: false, or give each namespaces or excludeNamespaces of its own" $name . $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The configuration of the Collector that reads them: the files of collector-config/, for the namespaces in question; over them
collector.podLogs.config.
*/}}
{{- define "lifecycle-bridge.podLogsConfig" -}}
{{- $config := dict -}}
{{- range list "extensions" "service" "pod-logs" -}}
{{- $config = mustMergeOverwrite $config ($.Files.Get (printf "files/collector-config/%s.yaml" .) | fromYaml) -}}
{{- end -}}
{{- $namespaces := include "lifecycle-bridge.podLogsNamespaces" . | fromJsonArray -}}
{{- include "lifecycle-bridge.podLogsFiles" (dict "root" . "filelog" (index $config.receivers "filelog/pods") "namespaces" $namespaces) -}}
{{- $attributes := index $config.processors "k8sattributes/pods" -}}
{{- if ge (int (include "collector.minor" .Subcharts.collector)) 118 -}}
{{- $attributes = merge (dict "wait_for_metadata" true "wait_for_metadata_timeout" "60s") $attributes -}}
{{- else -}}{{/* an older one reads first after this time, in which it asks what pods there are */}}
{{- $_ := set (index $config.receivers "filelog/pods") "poll_interval" "1s" -}}
{{- end -}}
{{- $_ := unset $config.processors "k8sattributes/pods" -}}
{{- $asked := list -}}
{{- range $namespaces | default (list "") -}}{{/* one of these processors asks for one namespace or for all */}}
{{- $name := printf "k8sattributes/%s" (. | default "pods") -}}
{{- $asked = append $asked $name -}}
{{- $one := deepCopy $attributes -}}
{{- with . }}{{ $_ := set $one.filter "namespace" . }}{{ end -}}
{{- $_ := set $config.processors $name $one -}}
{{- end -}}
{{- $_ := mustMergeOverwrite $config.processors (include "lifecycle-bridge.releaseProcessor" . | fromYaml) -}}
{{- $backend := include "lifecycle-bridge.backendOf" (dict "root" . "signal" "logs") | fromJson -}}
{{- $exporter := printf "%s/pods" $backend.exporter -}}
{{- $settings := include "lifecycle-bridge.patientExporter" (dict "root" . "backend" $backend "size" 5000) | fromJson -}}
{{- if and $settings.sending_queue (include "collector.batches" .Subcharts.collector) -}}
{{- $_ := set $settings.sending_queue "batch" (dict "sizer" "items" "min_size" 1000 "max_size" 2000 "flush_timeout" "1s") -}}
{{- end -}}
{{- $_ := set $config "exporters" (dict $exporter $settings) -}}
{{- $pipeline := index $config.service.pipelines "logs/pods" -}}
{{- $_ := set $pipeline "processors" (concat (list "memory_limiter" "transform/path") $asked (list "transform/run" "resource/release")) -}}
{{- $_ := set $pipeline "exporters" (list $exporter) -}}
{{- mustMergeOverwrite $config (deepCopy (.Subcharts.collector.Values.podLogs.config | default dict)) | toYaml -}}
{{- end -}}

{{/*
Which files .filelog reads: those of the pods in .namespaces, or of all. Never its own, whose lines would make new ones, nor those
of the bridge, its Collector and the bundled VictoriaLogs.
*/}}
{{- define "lifecycle-bridge.podLogsFiles" -}}
{{- $every := .filelog.include -}}
{{- $include := list -}}
{{- range $namespace := .namespaces -}}
{{- range $every }}{{ $include = append $include (replace "}/*/" (printf "}/%s_*/" $namespace) .) }}{{ end -}}
{{- end -}}
{{- $_ := set .filelog "include" ($include | default $every) -}}
{{- $exclude := list -}}
{{- $ours := list "bridge-0" "collector-0" "pod-logs-*" -}}
{{- if index .root.Subcharts "bundled-backend" }}{{ $ours = append $ours "victorialogs-0" }}{{ end -}}
{{- range $ours -}}
{{- $exclude = append $exclude (printf "${env:POD_LOGS_DIR:-/var/log/pods}/%s_%s-%s_*/*/*" $.root.Release.Namespace $.root.Release.Name .) -}}
{{- end -}}
{{- range .root.Values.backend.podLogs.excludeNamespaces -}}
{{- $exclude = append $exclude (printf "${env:POD_LOGS_DIR:-/var/log/pods}/%s_*/*/*" .) -}}
{{- end -}}
{{- $_ := set .filelog "exclude" $exclude -}}
{{- end -}}
