// Pictures and films of the stage, as files. What leaves the page bears the mark of what it is.
import type { Stage } from "./stage";

// As formats/provenance.py: IPTC's digital source type, which programs read.
const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
  + '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
  + 'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"/></rdf:RDF></x:xmpmeta>';
const SIGNATURE_AND_HEADER = 33;

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function screenshot(stage: Stage): Promise<Blob> {
  const canvas = stage.drawNow(true);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("The browser could not make a picture.");
  stage.touch();
  return marked(await blob.arrayBuffer());
}

/** A PNG with the XMP packet as an iTXt chunk after its header (PNG 1.2, 4.2.3.3; XMP part 3, 1.1.5). */
function marked(png: ArrayBuffer): Blob {
  const text = new TextEncoder().encode(`iTXtXML:com.adobe.xmp\0\0\0\0\0${XMP}`);
  const chunk = new Uint8Array(text.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, text.length - 4);
  chunk.set(text, 4);
  view.setUint32(chunk.length - 4, checksum(text));
  return new Blob([png.slice(0, SIGNATURE_AND_HEADER), chunk, png.slice(SIGNATURE_AND_HEADER)], { type: "image/png" });
}

function checksum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** Films the canvas with what is heard. */
export class Recorder {
  private recorder: MediaRecorder | null = null;

  static get supported(): boolean {
    return typeof MediaRecorder !== "undefined" && "captureStream" in HTMLCanvasElement.prototype;
  }

  get running(): boolean {
    return this.recorder !== null;
  }

  start(stage: Stage, sound: MediaStream | null, done: (film: Blob) => void): void {
    const stream = stage.canvas.captureStream(30);
    for (const track of sound?.getAudioTracks() ?? []) stream.addTrack(track);
    const type = ["video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm", "video/mp4"].find((each) => MediaRecorder.isTypeSupported(each));
    const recorder = new MediaRecorder(stream, { videoBitsPerSecond: 8_000_000, ...(type ? { mimeType: type } : {}) });
    const pieces: Blob[] = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => {
      for (const track of stream.getVideoTracks()) track.stop();
      stage.marked = false;
      stage.touch();
      done(new Blob(pieces, { type: recorder.mimeType.split(";")[0] || "video/webm" }));
    };
    stage.marked = true;
    recorder.start(500);
    this.recorder = recorder;
  }

  stop(): void {
    this.recorder?.stop();
    this.recorder = null;
  }
}
