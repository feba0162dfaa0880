// The address bears the token in its fragment, which no server sees; it is taken out of the address bar at once.
const TOKEN = "avatar3d.token";

export interface Credentials { token: string | null; pairingCode: string | null }

export function takeCredentials(): Credentials {
  const words = new URLSearchParams(location.hash.slice(1));
  const [token, pairingCode] = [words.get("token"), words.get("pair")];
  if (token || pairingCode) history.replaceState(null, "", location.pathname + location.search);
  if (token) keepToken(token);
  return { token: token ?? (pairingCode ? null : sessionStorage.getItem(TOKEN)), pairingCode };
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN);
}
