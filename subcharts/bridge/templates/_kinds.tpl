{{/*
The kinds that a bridge follows, as JSON by name: .Config is its bridge.yaml, .Files has files/kinds.yaml. What is in no namespace
is followed with scope: cluster only. Fails on what the bridge would refuse of `watch`.
*/}}
{{- define "bridge.kinds" -}}
{{- $table := .Files.Get "files/kinds.yaml" | fromYaml -}}
{{- $everywhere := eq (toString .Config.cluster.scope) "cluster" -}}
{{- $watch := .Config.watch | default dict -}}
{{- $needs := dict -}}
{{- range $reason, $kinds := $table.follow -}}
{{- if or (eq $reason "always") (get $.Config $reason) (get $watch $reason) -}}
{{- range $kinds }}{{ $_ := set $needs . $reason }}{{ end -}}
{{- end -}}
{{- range $name, $given := get $.Config $reason | default dict -}}
{{- if contains "\"namespaceSelector\":{" (toJson $given) -}}
{{- if not $everywhere }}{{ fail (printf "%s.%s has a namespaceSelector, which needs scope: cluster: a Namespace is in no namespace" $reason $name) }}{{ end -}}
{{- $_ := set $needs "Namespace" (printf "%s.%s" $reason $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $kind, $on := $watch -}}
{{- if not (hasKey $table.kinds $kind) -}}
{{- fail (printf "watch.%s: %v; there is no such kind; allowed: %s" $kind $on (keys $table.kinds | sortAlpha | join ", ")) -}}
{{- else if and $on (get $table.kinds $kind).cluster (not $everywhere) -}}
{{- fail (printf "watch.%s: true; a %s is in no namespace: it needs scope: cluster" $kind $kind) -}}
{{- else if and (not $on) (hasKey $needs $kind) -}}
{{- $reason := get $needs $kind -}}
{{- fail (printf "watch.%s: false; allowed: true, because it is followed %s" $kind (ternary $reason (printf "for %s" $reason) (eq $reason "always"))) -}}
{{- end -}}
{{- end -}}
{{- $followed := dict -}}
{{- range $kind, $_ := $needs -}}
{{- $is := get $table.kinds $kind -}}
{{- if or $everywhere (not $is.cluster) }}{{ $_ := set $followed $kind $is }}{{ end -}}
{{- end -}}
{{- toJson $followed -}}
{{- end -}}
