// What a page of somebody else tries; it gives back what it could read.
async ([base, changing, seeing, stolen]) => {
  const read = [];
  const list = JSON.stringify({ list: [stolen], inputs: [{ path: stolen }], ids: [1],
    what: "bucket", value: "evil", minutes: null, text: "evil" });
  const form = () => { const made = new FormData(); made.append("file",
    new File([list], "a.png", { type: "image/png" })); return made; };
  const bodies = [["text/plain", () => list], ["application/x-www-form-urlencoded",
    () => new URLSearchParams({ list: stolen, ids: "1" }).toString()], [null, form], [null, () => ""]];
  const waits = [];
  const tried = (promise, what) => waits.push(promise.then(
    async (answer) => { if (answer && answer.type !== "opaque") read.push(`${what} ${answer.status}`); },
    () => undefined));
  for (const path of changing) {
    for (const [type, body] of bodies) {
      for (const mode of ["no-cors", "cors"]) {
        for (const credentials of ["include", "omit"]) {
          const headers = type ? { "Content-Type": type } : {};
          tried(fetch(base + path, { method: "POST", mode, credentials, headers, body: body() }), path);
        }
      }
      navigator.sendBeacon(base + path, type ? new Blob([body()], { type }) : body());
    }
    const wanted = { "Content-Type": "application/json", "X-Imghost-Page": "x", "X-Imghost-Token": "x" };
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      tried(fetch(base + path, { method, headers: wanted, body: method === "OPTIONS" ? null : list }), path);
    }
    for (const enctype of ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]) {
      const frame = document.createElement("iframe");
      frame.name = `f${waits.length}`;
      const sent = document.createElement("form");
      Object.assign(sent, { action: base + path, method: "post", enctype, target: frame.name });
      const field = document.createElement("input");
      field.name = '{"list":["' + stolen + '"],"x":"';
      field.value = '"}';
      sent.append(field);
      document.body.append(frame, sent);
      waits.push(new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 3000); }));
      sent.submit();
    }
  }
  for (const path of seeing) {
    tried(fetch(base + path), path);
    tried(fetch(base + path, { mode: "no-cors" }), path);
    for (const kind of ["img", "script", "iframe", "object"]) {
      const element = document.createElement(kind);
      waits.push(new Promise((resolve) => {
        element.onload = () => {
          if (kind === "img" || kind === "script") read.push(`${kind} ${path}`);
          let inside = "";
          try { inside = element.contentDocument?.body?.textContent || ""; } catch { /* as it must */ }
          if (inside) read.push(`${kind} ${path}: ${inside}`);
          resolve();
        };
        element.onerror = resolve;
        setTimeout(resolve, 3000);
      }));
      element[kind === "object" ? "data" : "src"] = base + path;
      document.body.append(element);
    }
  }
  await Promise.all(waits);
  return read;
}
