{{/* What the worker's pods and the pod of `helm test` have in common. */}}

{{- define "streamhooks.fromSecret" -}}
{{- dict "valueFrom" (dict "secretKeyRef" (dict "name" .name "key" .key)) | toJson -}}
{{- end -}}

{{/*
The variables, as a list. They are gathered in a map first, so that extraEnv replaces one of ours: two of one name are
refused by server-side apply. A map is walked by name, and $(X) needs X before it: that is why the user is ACL_USER.
*/}}
{{- define "streamhooks.env" -}}
{{- $env := dict "PYTHONDONTWRITEBYTECODE" (dict "value" "1") -}}
{{- $_ := set $env "POD_NAME" (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) -}}
{{- $redis := .Values.redis -}}
{{- $secret := $redis.existingSecret -}}
{{- $_ := set $env "STREAMHOOKS_REDIS_URL" (dict "value" (include "streamhooks.redisUrl" .)) -}}
{{- if $redis.username }}{{ $_ := set $env "STREAMHOOKS_REDIS_ACL_USER" (dict "value" $redis.username) }}{{ end -}}
{{- if $secret.name -}}
{{- range $name, $key := dict "STREAMHOOKS_REDIS_URL" $secret.urlKey "STREAMHOOKS_REDIS_ACL_USER" $secret.usernameKey "STREAMHOOKS_REDIS_PASSWORD" $secret.passwordKey -}}
{{- if $key }}{{ $_ := set $env $name (include "streamhooks.fromSecret" (dict "name" $secret.name "key" $key) | fromJson) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with .Values.admin.existingSecret -}}
{{- if .name }}{{ $_ := set $env "STREAMHOOKS_ADMIN_TOKEN" (include "streamhooks.fromSecret" . | fromJson) }}{{ end -}}
{{- end -}}
{{- if .Values.ingest.enabled -}}
{{- $_ := set $env "STREAMHOOKS_INGEST_TOKEN" (include "streamhooks.fromSecret" .Values.ingest.existingSecret | fromJson) -}}
{{- end -}}
{{- range $name, $ref := .Values.secretEnv -}}
{{- $_ := set $env $name (include "streamhooks.fromSecret" $ref | fromJson) -}}
{{- end -}}
{{- range $name, $given := .Values.extraEnv -}}
{{- $_ := set $env $name (kindIs "string" $given | ternary (dict "value" $given) $given) -}}
{{- end -}}
{{- range $name, $what := $env }}
- name: {{ $name | quote }}
  {{- toYaml $what | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* --config once for each file or folder: JSON list. */}}
{{- define "streamhooks.configArgs" -}}
{{- $args := list "--config" "/etc/streamhooks/config/config.json" -}}
{{- range .Values.extraConfig.configMaps -}}
{{- $args = concat $args (list "--config" (printf "/etc/streamhooks/more/configmaps/%s" .)) -}}
{{- end -}}
{{- range .Values.extraConfig.secrets -}}
{{- $args = concat $args (list "--config" (printf "/etc/streamhooks/more/secrets/%s" .)) -}}
{{- end -}}
{{- toJson $args -}}
{{- end -}}

{{/* Name, where it is mounted, and what it is of each volume: JSON list. Names of volumes are at most 63 characters. */}}
{{- define "streamhooks.mounts" -}}
{{- $own := include "streamhooks.fullname" . -}}
{{- $all := list (dict "name" "config" "at" "/etc/streamhooks/config" "source" (dict "configMap" (dict "name" $own))) -}}
{{- with .Values.templates -}}
{{- if or .files .existingConfigMap -}}
{{- $name := default (printf "%s-templates" $own) .existingConfigMap -}}
{{- $all = append $all (dict "name" "templates" "at" "/etc/streamhooks/templates" "source" (dict "configMap" (dict "name" $name))) -}}
{{- end -}}
{{- end -}}
{{- range $index, $name := .Values.extraConfig.configMaps -}}
{{- $all = append $all (dict "name" (printf "more-config-%d" $index) "at" (printf "/etc/streamhooks/more/configmaps/%s" $name) "source" (dict "configMap" (dict "name" $name))) -}}
{{- end -}}
{{- range $index, $name := .Values.extraConfig.secrets -}}
{{- $all = append $all (dict "name" (printf "more-secret-%d" $index) "at" (printf "/etc/streamhooks/more/secrets/%s" $name) "source" (dict "secret" (dict "secretName" $name "defaultMode" 0440))) -}}
{{- end -}}
{{- range $index, $files := .Values.secretFiles -}}
{{- $all = append $all (dict "name" (printf "secret-%d" $index) "at" (printf "/etc/streamhooks/secrets/%s" $files.name) "source" (dict "secret" (dict "secretName" $files.secret "defaultMode" 0440))) -}}
{{- end -}}
{{- range $name, $secret := dict "ca" .Values.redis.tls.caSecret "client" .Values.redis.tls.certSecret -}}
{{- if $secret.name -}}
{{- $all = append $all (dict "name" (printf "redis-%s" $name) "at" (printf "/etc/streamhooks/redis/%s" $name) "source" (dict "secret" (dict "secretName" $secret.name "defaultMode" 0440))) -}}
{{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{- define "streamhooks.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- range include "streamhooks.mounts" . | fromJsonArray }}
- {name: {{ .name }}, mountPath: {{ .at | quote }}, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "streamhooks.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- range include "streamhooks.mounts" . | fromJsonArray }}
- name: {{ .name }}
  {{- toYaml .source | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where it may run, and as whom. */}}
{{- define "streamhooks.podSettings" -}}
serviceAccountName: {{ include "streamhooks.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $name := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "hostAliases" "dnsPolicy" "dnsConfig" }}
{{- with get $.Values $name }}
{{ $name }}: {{ kindIs "string" . | ternary . (toYaml . | nindent 2) }}
{{- end }}
{{- end }}
{{- end -}}
