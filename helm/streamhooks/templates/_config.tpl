{{/*
The configuration as JSON: helm's toToml turns whole numbers into floats, and toJson does not. It is complete but for
what extraConfig adds, and holds no secret: only references to variables and files of the pod.
*/}}
{{- define "streamhooks.config" -}}
{{- $secret := .Values.redis.existingSecret -}}
{{- $redis := dict "url" "env://STREAMHOOKS_REDIS_URL" -}}
{{- if and $secret.name $secret.passwordKey -}}
{{- $_ := set $redis "password" "env://STREAMHOOKS_REDIS_PASSWORD" -}}
{{- end -}}
{{- $tls := dict -}}
{{- with .Values.redis.tls.caSecret -}}
{{- if .name }}{{ $_ := set $tls "ca_file" (printf "/etc/streamhooks/redis/ca/%s" .key) }}{{ end -}}
{{- end -}}
{{- with .Values.redis.tls.certSecret -}}
{{- if .name -}}
{{- $_ := set $tls "cert_file" (printf "/etc/streamhooks/redis/client/%s" .certKey) -}}
{{- $_ := set $tls "key_file" (printf "/etc/streamhooks/redis/client/%s" .keyKey) -}}
{{- end -}}
{{- end -}}
{{- if $tls }}{{ $_ := set $redis "tls" $tls }}{{ end -}}
{{- $admin := dict "listen" (printf "%s:%v" .Values.admin.address (int .Values.admin.port)) -}}
{{- if .Values.admin.existingSecret.name }}{{ $_ := set $admin "token" "env://STREAMHOOKS_ADMIN_TOKEN" }}{{ end -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.ingest.enabled -}}
{{- $own := dict "listen" (printf "%s:%v" .Values.admin.address (int .Values.ingest.port)) "token" "env://STREAMHOOKS_INGEST_TOKEN" -}}
{{- $_ := set $config "ingest" (merge $own (default (dict) $config.ingest)) -}}
{{- end -}}
{{- $_ := set $config "redis" $redis -}}
{{- $_ := set $config "admin" $admin -}}
{{- $_ := set $config "templates" (dict "path" "/etc/streamhooks/templates") -}}
{{- $_ := set $config "reload" false -}}
{{- with include "streamhooks.handlers" . | fromJsonArray }}{{ $_ := set $config "handlers" . }}{{ end -}}
{{- with .Values.event_handlers }}{{ $_ := set $config "event_handlers" . }}{{ end -}}
{{- toPrettyJson $config -}}
{{- end -}}

{{/* The handlers as a JSON list. Helm reads YAML 1.1, where an unquoted on: is the key true. */}}
{{- define "streamhooks.handlers" -}}
{{- $handlers := list -}}
{{- range .Values.handlers -}}
{{- $handler := omit . "true" -}}
{{- if hasKey . "true" }}{{ $_ := set $handler "on" (get . "true") }}{{ end -}}
{{- $handlers = append $handlers $handler -}}
{{- end -}}
{{- toJson $handlers -}}
{{- end -}}

{{/* The URL of Redis, without the password; $(...) is filled in by the kubelet. */}}
{{- define "streamhooks.redisUrl" -}}
{{- $redis := .Values.redis -}}
{{- $user := ternary "$(STREAMHOOKS_REDIS_ACL_USER)@" "" (or (ne $redis.username "") (and (ne $redis.existingSecret.name "") (ne $redis.existingSecret.usernameKey ""))) -}}
{{- if eq $redis.mode "sentinel" -}}
redis+sentinel://{{ $user }}{{ join "," $redis.addresses }}/{{ $redis.service }}/{{ int $redis.database }}
{{- else if eq $redis.mode "cluster" -}}
redis+cluster://{{ $user }}{{ join "," $redis.addresses }}
{{- else -}}
{{- $parts := splitn "://" 2 $redis.url -}}
{{ $parts._0 }}://{{ $user }}{{ $parts._1 }}
{{- end -}}
{{- end -}}
