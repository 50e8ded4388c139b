// A Tyk event handler that posts the whole event to streamhooks' HTTP door. See docs/gateways/tyk.md.
// Tyk's JavaScript is that of 2009 (ES5). Its event handlers share one global scope: keep the name unique.

var streamhooks = new TykJS.TykEventHandlers.NewEventHandler({});

streamhooks.NewHandler(function (event, context) {
  var door = "http://127.0.0.1:8090";
  var token = ""; // ingest.token; empty where the door needs none

  // The caller's whole request, credentials and all: nobody needs it to be told that it failed.
  delete event.Meta.OriginatingRequest;

  var headers = { "Content-Type": "application/json" };
  if (token) {
    headers.Authorization = "Bearer " + token;
  }
  var answer = TykMakeHttpRequest(JSON.stringify({
    Method: "POST",
    Domain: door,
    Resource: "/v1/events",
    Headers: headers,
    Body: JSON.stringify({
      type: event.Type,
      meta: event.Meta,
      ts: event.TimeStamp,
      api_id: context.APIID,
      org_id: context.OrgID,
      source: "tyk"
    })
  }));
  var code = answer ? JSON.parse(answer).Code : "nothing";
  if (code !== 202) {
    log("streamhooks: " + event.Type + " was not taken, the door answered " + code);
  }
});
