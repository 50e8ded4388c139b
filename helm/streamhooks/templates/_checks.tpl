{{/*
What no schema can see: two values that do not go together. All faults are told at once, each with the value's name.
*/}}

{{/* Whole seconds of a duration, rounded up: a number, or "20s", "1m30s". */}}
{{- define "streamhooks.seconds" -}}
{{- $text := toString . -}}
{{- if regexMatch "^[0-9.]+$" $text -}}
{{- float64 $text | ceil | int -}}
{{- else -}}
{{- $total := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|[dhms])" $text -1 -}}
{{- $amount := regexFind "^[0-9.]+" . | float64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $total = addf $total (mulf $amount (get (dict "d" 86400.0 "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001) $unit)) -}}
{{- end -}}
{{- $total | ceil | int -}}
{{- end -}}
{{- end -}}

{{/* Headers that hold a credential and not a reference: lines. `how` is the way out. The names are secret.py's. */}}
{{- define "streamhooks.credentials" -}}
{{- $credential := "(?i)authori[sz]ation|authentication|\\bauth\\b|token|secret|passw|passphrase|credential|cookie|signature|session|(?:api|access|private|account|subscription|functions?)[-_]?key" -}}
{{- range $name, $value := .headers -}}
{{- if and (regexMatch $credential $name) (not (contains "{{" $value)) (not (and $.references (regexMatch "^(env|file)://" $value))) }}
{{ $.at }}.{{ $name }}: holds a credential, which has no place in a ConfigMap; {{ $.how }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What has no place in a ConfigMap, with its name and never with itself: lines. The schema does not look at these, for what
helm says of a pattern repeats the value. `at` names the handler, and `how` is the way out.
*/}}
{{- define "streamhooks.openSecrets" -}}
{{- if regexMatch "^[A-Za-z]+://[^/?#]*@" (toString .handler.target_path) }}
{{ .at }}.target_path: holds a user or password, which have no place in a ConfigMap; send them by header_map
{{- end -}}
{{- include "streamhooks.openProxy" (dict "proxy" .handler.proxy "at" (printf "%s.proxy" .at) "how" .how) -}}
{{- $sign := .handler.sign | default dict -}}
{{- include "streamhooks.plainSecrets" (dict "secrets" $sign.secrets "at" (printf "%s.sign.secrets" .at)) -}}
{{- include "streamhooks.plainSecrets" (dict "secrets" (dig "hmac" "secrets" list $sign) "at" (printf "%s.sign.hmac.secrets" .at)) -}}
{{- end -}}

{{- define "streamhooks.openProxy" -}}
{{- if not (regexMatch "^(https?://[^\\s/?#@]+/*|env://[A-Za-z_][A-Za-z0-9_]*|file:///.+)?$" (toString (.proxy | default ""))) }}
{{ .at }}: is no http://HOST:PORT, or holds a user or password, which have no place in a ConfigMap; {{ .how }}
{{- end -}}
{{- end -}}

{{- define "streamhooks.plainSecrets" -}}
{{- range $index, $secret := .secrets -}}
{{- if not (regexMatch "^(env://[A-Za-z_][A-Za-z0-9_]*|file:///.+)?$" (toString $secret)) }}
{{ $.at }}[{{ $index }}]: is no reference, and a secret has no place in a ConfigMap; write env://NAME (secretEnv) or file:///path (secretFiles)
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamhooks.faults" -}}
{{- $v := .Values -}}
{{- $drain := dig "worker" "drain_timeout" 20 $v.config -}}
{{- $delay := ternary (int $v.ingest.shutdownDelay) 0 $v.ingest.enabled -}}
{{- $least := add (include "streamhooks.seconds" $drain | int) 10 $delay -}}
{{- if lt (int $v.terminationGracePeriodSeconds) (int $least) }}
terminationGracePeriodSeconds: is {{ int $v.terminationGracePeriodSeconds }}; must be at least {{ $least }}, which is config.worker.drain_timeout ({{ $drain }}), ten seconds for Redis{{ if $delay }} and ingest.shutdownDelay{{ end }}
{{- end -}}
{{- $byReference := "write env://NAME (secretEnv) or file:///path (secretFiles)" -}}
{{- $elsewhere := "write it under handlers, where env://NAME is followed, or put the handler into a Secret of extraConfig.secrets" -}}
{{- range $index, $handler := $v.handlers -}}
{{- include "streamhooks.openSecrets" (dict "handler" $handler "at" (printf "handlers[%d]" $index) "how" $byReference) -}}
{{- include "streamhooks.credentials" (dict "headers" $handler.header_map "references" true "at" (printf "handlers[%d].header_map" $index) "how" $byReference) -}}
{{- end -}}
{{- range $event, $entries := dig "events" (dict) $v.event_handlers -}}
{{- range $index, $entry := $entries -}}
{{- include "streamhooks.openSecrets" (dict "handler" $entry.handler_meta "at" (printf "event_handlers.events.%s[%d].handler_meta" $event $index) "how" $elsewhere) -}}
{{- include "streamhooks.credentials" (dict "headers" (dig "handler_meta" "header_map" (dict) $entry) "references" false "at" (printf "event_handlers.events.%s[%d].handler_meta.header_map" $event $index) "how" $elsewhere) -}}
{{- end -}}
{{- end -}}
{{- include "streamhooks.openProxy" (dict "proxy" (dig "defaults" "proxy" "" $v.config) "at" "config.defaults.proxy" "how" $byReference) -}}
{{- include "streamhooks.plainSecrets" (dict "secrets" (dig "ingest" "tokens" list $v.config) "at" "config.ingest.tokens") -}}
{{- include "streamhooks.referenceFaults" . -}}
{{- include "streamhooks.redisFaults" . -}}
{{- include "streamhooks.scalingFaults" . -}}
{{- include "streamhooks.doorFaults" . -}}
{{- if and $v.templates.files $v.templates.existingConfigMap }}
templates.existingConfigMap: cannot stand beside templates.files; keep one of them
{{- end -}}
{{- end -}}

{{/* References that lead nowhere would end every pod at its start. What comes by extraEnvFrom cannot be known. */}}
{{- define "streamhooks.referenceFaults" -}}
{{- $v := .Values -}}
{{- $text := toJson (list $v.handlers $v.config) -}}
{{- if not $v.extraEnvFrom -}}
{{- range regexFindAll "\"env://[A-Za-z_][A-Za-z0-9_]*" $text -1 | uniq -}}
{{- $name := trimPrefix "\"env://" . -}}
{{- if not (or (hasKey $v.secretEnv $name) (hasKey $v.extraEnv $name)) }}
secretEnv.{{ $name }}: is missing; a handler or a setting refers to env://{{ $name }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $named := list -}}
{{- range $v.secretFiles }}{{ $named = append $named .name }}{{ end -}}
{{- range regexFindAll "file:///etc/streamhooks/secrets/[^/\"]+" $text -1 | uniq -}}
{{- $name := trimPrefix "file:///etc/streamhooks/secrets/" . -}}
{{- if not (has $name $named) }}
secretFiles: has none of the name {{ $name }}, which a handler or a setting refers to by {{ . }}/
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamhooks.redisFaults" -}}
{{- $redis := .Values.redis -}}
{{- if ne $redis.mode "url" -}}
{{- if not $redis.addresses }}
redis.addresses: is empty; redis.mode {{ $redis.mode }} needs host:port of at least one
{{- end -}}
{{- if and $redis.tls.enabled (not $redis.tls.caSecret.name) }}
redis.tls.caSecret.name: is empty; with redis.mode {{ $redis.mode }} the authority's certificate is what turns TLS on
{{- end -}}
{{- if $redis.existingSecret.urlKey }}
redis.existingSecret.urlKey: is for redis.mode url; {{ $redis.mode }} has redis.addresses
{{- end -}}
{{- else -}}
{{- if and (not $redis.url) (not (and $redis.existingSecret.name $redis.existingSecret.urlKey)) }}
redis.url: is empty; give it, or redis.existingSecret.name and urlKey
{{- end -}}
{{- if not (regexMatch "^(rediss?://[^\\s/@]+(/[0-9]+)?|unix:///\\S+)?$" $redis.url) }}
redis.url: is no redis://HOST:PORT/DB, rediss:// or unix:///PATH, or holds a user or password; those come by redis.username and redis.existingSecret
{{- end -}}
{{- if and (not $redis.existingSecret.urlKey) (not (hasPrefix "rediss:" $redis.url)) -}}
{{- $used := dict "enabled" $redis.tls.enabled "caSecret.name" $redis.tls.caSecret.name "certSecret.name" $redis.tls.certSecret.name -}}
{{- range $name, $value := $used -}}
{{- if $value }}
redis.tls.{{ $name }}: in redis.mode url the URL says it; write redis.url as rediss://...
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not $redis.existingSecret.name) (or $redis.existingSecret.urlKey $redis.existingSecret.usernameKey $redis.existingSecret.passwordKey) }}
redis.existingSecret.name: is empty; its keys are of no Secret
{{- end -}}
{{- end -}}

{{- define "streamhooks.scalingFaults" -}}
{{- $scaling := .Values.autoscaling -}}
{{- if ne $scaling.mode "none" -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
autoscaling.minReplicas: is {{ int $scaling.minReplicas }}; must be at most autoscaling.maxReplicas, {{ int $scaling.maxReplicas }}
{{- end -}}
{{- end -}}
{{- if eq $scaling.mode "hpa" -}}
{{- if lt (int $scaling.minReplicas) 1 }}
autoscaling.minReplicas: is 0; must be at least 1 with autoscaling.mode hpa
{{- end -}}
{{- if not $scaling.hpa.metrics }}
autoscaling.hpa.metrics: is empty; name at least one metric
{{- end -}}
{{- end -}}
{{- if and (eq $scaling.mode "keda") (not (include "streamhooks.redisAddress" .)) }}
autoscaling.keda.address: is empty; KEDA needs host:port of the server, which redis.url does not say
{{- end -}}
{{- end -}}

{{- define "streamhooks.doorFaults" -}}
{{- $ingest := .Values.ingest -}}
{{- if $ingest.enabled -}}
{{- if not $ingest.existingSecret.name }}
ingest.existingSecret.name: is empty; the door needs a token, or anybody could publish events
{{- end -}}
{{- if eq (int $ingest.port) (int .Values.admin.port) }}
ingest.port: is {{ int $ingest.port }}, as is admin.port; give each its own
{{- end -}}
{{- end -}}
{{- if and (or $ingest.ingress.enabled $ingest.httpRoute.enabled) (not $ingest.enabled) }}
ingest.enabled: is false; ingest.ingress and ingest.httpRoute lead to that door
{{- end -}}
{{- if and $ingest.ingress.enabled (not $ingest.ingress.hosts) }}
ingest.ingress.hosts: is empty; name at least one host
{{- end -}}
{{- if and $ingest.httpRoute.enabled (not $ingest.httpRoute.parentRefs) }}
ingest.httpRoute.parentRefs: is empty; name the gateway
{{- end -}}
{{- end -}}

{{- define "streamhooks.checked" -}}
{{- $faults := include "streamhooks.faults" . | trim -}}
{{- if $faults }}{{ fail (printf "\n%s" $faults) }}{{ end -}}
{{- end -}}
