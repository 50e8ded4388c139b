{{/* What everything is called, and the labels by which it is found. */}}

{{- define "streamhooks.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "streamhooks.fullname" -}}
{{- $name := include "streamhooks.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "streamhooks.serviceAccountName" -}}
{{- default (ternary (include "streamhooks.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "streamhooks.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository -}}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* By these a Deployment finds its pods; they may never change. The pod of `helm test` has another component. */}}
{{- define "streamhooks.selectorLabels" -}}
app.kubernetes.io/name: {{ include "streamhooks.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: worker
{{- end -}}

{{/* Of every object. The chart's own win over commonLabels, or selectors would find nothing. */}}
{{- define "streamhooks.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "streamhooks.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" (toString .Chart.AppVersion)
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "streamhooks"
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
-}}
{{- merge $own (omit .Values.commonLabels "app.kubernetes.io/component") | toYaml -}}
{{- end -}}

{{/* Pods that are meant to run at least. */}}
{{- define "streamhooks.least" -}}
{{- ternary .Values.replicaCount .Values.autoscaling.minReplicas (eq .Values.autoscaling.mode "none") -}}
{{- end -}}

{{/* The streams of the configuration, as streamhooks/store/keys.py names them: a JSON list. */}}
{{- define "streamhooks.streams" -}}
{{- $key := dig "stream" "key" "gateway:events" .Values.config -}}
{{- $count := dig "stream" "partitions" 1 .Values.config | int -}}
{{- $streams := list -}}
{{- if eq $count 1 -}}
{{- $streams = list $key -}}
{{- else -}}
{{- range until $count -}}{{- $streams = append $streams (printf "%s:%d" $key .) -}}{{- end -}}
{{- end -}}
{{- toJson $streams -}}
{{- end -}}

{{/* host:port of the server for KEDA; empty where only a Secret knows it. */}}
{{- define "streamhooks.redisAddress" -}}
{{- if ne .Values.redis.mode "url" -}}
{{- join "," .Values.redis.addresses -}}
{{- else if .Values.autoscaling.keda.address -}}
{{- .Values.autoscaling.keda.address -}}
{{- else if and (hasPrefix "redis" .Values.redis.url) (not .Values.redis.existingSecret.urlKey) -}}
{{- $host := get (urlParse .Values.redis.url) "host" -}}
{{- if regexMatch ":[0-9]+$" $host }}{{ $host }}{{ else }}{{ $host }}:6379{{ end -}}
{{- end -}}
{{- end -}}

{{/* Whether Redis is spoken to by TLS, as far as the values say it: "true" or "". */}}
{{- define "streamhooks.redisTls" -}}
{{- if or .Values.redis.tls.enabled .Values.redis.tls.caSecret.name (and (eq .Values.redis.mode "url") (hasPrefix "rediss:" .Values.redis.url)) -}}
true
{{- end -}}
{{- end -}}
