// The connection: greeting, acknowledgements, clock, and coming back by itself.
import {
  ACK_EVERY, CLOSE, FACE_SHIFT, RECONNECTS, SUBPROTOCOLS, VERSION, decodeFrame, decodeSound, encodeAck, encodeSound,
  type ControlToBridge, type EventFromBridge, type FlushFromBridge, type FramePacket, type FromBridge, type IdentifiedFromBridge, type SayToBridge,
  type SoundPacket, type ToBridge,
} from "../wire.generated";
import { MediaClock, nowS } from "./clock";
import { forgetToken, keepToken, type Credentials } from "./token";

export type State = "off" | "connecting" | "live" | "waiting" | "refused";

export interface Listener {
  state(state: State, detail: string): void;
  identified(who: IdentifiedFromBridge): void;
  frame(face: number, packet: FramePacket): void;
  sound(face: number, packet: SoundPacket): void;
  flush(message: FlushFromBridge): void;
  event(message: EventFromBridge): void;
  trouble(message: string): void;
}

const CLOCK_EVERY_MS = 2000;
// The first questions come quickly, so that the clock is right before the first sound.
const FIRST_QUESTIONS_MS = [0, 60, 160, 320, 640, 1100];
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
// Nothing at all for so long from a bridge that sends sixty frames a second, nor an answer to the clock: it is gone.
const DEAF_MS = 6000;
const COMES_BACK = new Set([1001, 1006, 1011, 1012, 1013, 1014, ...RECONNECTS.map((name) => CLOSE[name])]);
const WHY: Record<number, string> = {
  [CLOSE.TOKEN]: "The token is not known here any more. Open the address that the bridge has printed.",
  [CLOSE.REVOKED]: "This page's access was taken back.",
  [CLOSE.TOO_MANY_TRIES]: "Too many wrong tries. Wait a minute, then open the bridge's address again.",
  [CLOSE.VERSION]: "The bridge speaks another version. Reload this page.",
};

export class Bridge {
  readonly clock = new MediaClock();
  state: State = "off";
  scopes: readonly string[] = [];
  private socket: WebSocket | null = null;
  private pauseMs = FIRST_PAUSE_MS;
  private ackEvery = ACK_EVERY;
  private acknowledged = -1;
  private heardMs = 0;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private number = 0;

  constructor(private credentials: Credentials, private readonly listener: Listener) {
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
  }

  get mayDrive(): boolean {
    return this.state === "live" && this.scopes.includes("drive");
  }

  get token(): string | null {
    return this.credentials.token;
  }

  /** Connects, and stays connected. */
  open(credentials = this.credentials): void {
    this.credentials = credentials;
    if (!credentials.token && !credentials.pairingCode) return this.tell("off", "");
    this.drop();
    this.tell("connecting", "");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`, [SUBPROTOCOLS[0]]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heardMs = performance.now();
      if (typeof data === "string") this.read(JSON.parse(data) as FromBridge);
      else this.readBytes(data as ArrayBuffer);
    };
    socket.onclose = ({ code }) => { if (socket === this.socket) this.closed(code); };
    this.socket = socket;
    this.heardMs = performance.now();
  }

  send(message: ToBridge): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  control(face: number, what: Omit<ControlToBridge, "type" | "face" | "id">): boolean {
    return this.send({ type: "control", id: ++this.number, face, ...what });
  }

  say(face: number, text: string, more: Pick<SayToBridge, "language" | "voice"> = {}): boolean {
    return this.send({ type: "say", id: ++this.number, face, text, ...more });
  }

  pushSound(face: number, packet: Omit<SoundPacket, "kind" | "flags">, last: boolean): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(encodeSound({ ...packet, flags: (face << FACE_SHIFT) | (last ? 1 : 0) }));
    return true;
  }

  sendBytes(bytes: ArrayBuffer): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  private read(message: FromBridge): void {
    switch (message.type) {
      case "hello":
        if (!message.versions.includes(VERSION)) return this.refuse(WHY[CLOSE.VERSION]!);
        this.send({
          type: "identify", version: VERSION, name: "web viewer",
          ...(this.credentials.token ? { token: this.credentials.token } : { pairing_code: this.credentials.pairingCode ?? "" }),
        });
        break;
      case "identified":
        if (message.token) {
          keepToken(message.token);
          this.credentials = { token: message.token, pairingCode: null };
        }
        this.scopes = message.scopes;
        this.ackEvery = message.ack_every;
        this.acknowledged = -1;
        this.pauseMs = FIRST_PAUSE_MS;
        this.clock.restart();
        this.clock.guess(message.media_time_s);
        for (const wait of FIRST_QUESTIONS_MS) this.timers.push(setTimeout(() => this.ask(), wait));
        this.timers.push(setInterval(() => this.ask(), CLOCK_EVERY_MS));
        this.tell("live", "");
        this.listener.identified(message);
        break;
      case "clock":
        this.clock.answered(message.sent_s, message.received_s, message.media_time_s);
        break;
      case "flush":
        this.listener.flush(message);
        break;
      case "event":
        this.listener.event(message);
        break;
      case "error":
        this.listener.trouble(`${message.message} ${message.hint}`.trim());
        break;
      default:
        break;
    }
  }

  private readBytes(bytes: ArrayBuffer): void {
    const frame = decodeFrame(bytes);
    if (frame) {
      if (frame.seq < this.acknowledged || frame.seq >= this.acknowledged + this.ackEvery) {
        this.acknowledged = frame.seq;
        this.socket?.send(encodeAck({ seq: frame.seq }));
      }
      this.clock.guess(frame.mediaTimeS);
      return this.listener.frame(frame.flags >> FACE_SHIFT, frame);
    }
    const sound = decodeSound(bytes);
    if (sound) this.listener.sound(sound.flags >> FACE_SHIFT, sound);
  }

  private ask(): void {
    if (performance.now() - this.heardMs > DEAF_MS) return this.closed(1006);
    this.send({ type: "clock", sent_s: nowS() });
  }

  private closed(code: number): void {
    this.drop();
    if (!COMES_BACK.has(code)) {
      if (code === CLOSE.TOKEN || code === CLOSE.REVOKED) forgetToken();
      return this.refuse(WHY[code] ?? `The bridge closed the connection (${code}).`);
    }
    this.tell("waiting", "");
    const pause = this.pauseMs * (0.75 + 0.5 * Math.random());
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    this.timers.push(setTimeout(() => this.open(), pause));
  }

  private hurry(): void {
    if (this.state !== "waiting") return;
    this.pauseMs = FIRST_PAUSE_MS;
    this.open();
  }

  private refuse(why: string): void {
    this.drop();
    this.tell("refused", why);
  }

  private drop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private tell(state: State, detail: string): void {
    this.state = state;
    if (state !== "live") this.scopes = [];
    this.listener.state(state, detail);
  }
}
