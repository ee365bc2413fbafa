// Start niivue when the reader comes near it; everything it needs is in the page.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const canvas = byId("viewer-canvas");
  const box = canvas.closest(".viewer");
  const place = byId("viewer-place");
  const embedded = (id) => byId(id).textContent.trim();
  box.hidden = false;

  async function loadCode() {
    const bytes = Uint8Array.from(atob(embedded("niivue-code")), (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(plain).text();
    document.head.append(script);
  }

  function loadMap(key, options) {
    return niivue.NVImage.loadFromBase64({ base64: embedded("map-" + key), name: key + ".nii.gz", ...options });
  }

  async function draw(nv, layer) {
    if (layer.labels) {
      const map = await loadMap(layer.key, { opacity: 0 });
      map.setColormapLabel(layer.labels);
      return map;
    }
    if (typeof layer.colours !== "string") nv.addColormap(layer.key, layer.colours);
    const colormap = typeof layer.colours === "string" ? layer.colours : layer.key;
    const map = await loadMap(layer.key, { colormap, cal_min: layer.low, cal_max: 255, opacity: 0 });
    if (layer.fades) map.colormapType = 1; // for volumes this fades towards zero below cal_min
    return map;
  }

  function tell(layer, value) {
    if (layer.labels) return layer.labels.labels[layer.labels.I.indexOf(Math.round(value))] || layer.none;
    const more = layer.ends_open && value >= layer.top ? " or more" : ""; // the copy holds nothing above its top
    return `${layer.name} ${(value * layer.scale).toFixed(layer.digits)}${layer.unit}${more}`;
  }

  async function start() {
    await loadCode();
    const nv = new niivue.Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.8, 0.47, 0.65, 0.9], // a colour no tissue has
      crosshairWidth: 0.5,
      fontColor: [0.9, 0.92, 0.95, 1],
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      multiplanarShowRender: 0,
      multiplanarPadPixels: 6,
      dragAndDropEnabled: false,
      logLevel: "error",
      loadingText: "",
      showAllOrientationMarkers: true,
    });
    await nv.attachToCanvas(canvas);
    const opacity = () => byId("viewer-opacity").value / 100;
    const chosen = () => byId("viewer-map").value;
    nv.addVolume(await loadMap("scan", { colormap: "gray", cal_min: 0, cal_max: 255 }));
    const layers = JSON.parse(embedded("viewer-layers"));
    for (const layer of layers) nv.addVolume(await draw(nv, layer));

    const show = () => {
      byId("viewer-opacity-value").value = byId("viewer-opacity").value + " %";
      layers.forEach((layer, n) => nv.setOpacity(n + 1, layer.key === chosen() ? opacity() : 0));
    };
    const views = {
      multi: nv.sliceTypeMultiplanar,
      axial: nv.sliceTypeAxial,
      coronal: nv.sliceTypeCoronal,
      sagittal: nv.sliceTypeSagittal,
    };
    byId("viewer-opacity").addEventListener("input", show);
    byId("viewer-map").addEventListener("change", show);
    byId("viewer-view").addEventListener("change", (event) => nv.setSliceType(views[event.target.value]));
    nv.onLocationChange = (where) => {
      const mm = Array.from(where.mm).slice(0, 3).map((value) => value.toFixed(0).replace("-", "−"));
      const told = layers.map((layer, n) => tell(layer, where.values[n + 1].value));
      place.value = [`x ${mm[0]}, y ${mm[1]}, z ${mm[2]} mm`, ...told].join(" · ");
    };
    show();
    const at = JSON.parse(embedded("viewer-start"));
    if (at) {
      nv.scene.crosshairPos = nv.mm2frac(at);
      nv.drawScene(); // setting the place draws nothing by itself
    }
    nv.createOnLocationChange();
    canvas.dataset.state = "ready";
  }

  function failed(error) {
    canvas.dataset.state = "failed";
    place.value = `The viewer could not start (${error.message || error}). The slices above show the same.`;
  }

  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    start().catch(failed);
  }, { rootMargin: "400px" });
  watch.observe(box);
})();
