/*
 * Search on pages that are opened from the disk. Browsers start no workers there, so the search
 * runs in a hidden frame, which is spoken to as a worker is.
 */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = [];
    #ready = false;

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.documentElement.append(this.#frame);
      const inside = this.#frame.contentWindow;
      inside.postMessage = (data) => tell(this, data);
      const script = inside.document.createElement("script");
      script.addEventListener("load", () => this.#start());
      script.src = url;
      inside.document.head.append(script);
    }

    postMessage(data) {
      if (this.#ready) {
        tell(this.#frame.contentWindow, data);
      } else {
        this.#waiting.push(data);
      }
    }

    terminate() {
      this.#frame.remove();
    }

    #start() {
      this.#ready = true;
      this.#waiting.splice(0).forEach((data) => this.postMessage(data));
    }
  };

  function tell(target, data) {
    setTimeout(() => target.dispatchEvent(new MessageEvent("message", { data })));
  }
}
