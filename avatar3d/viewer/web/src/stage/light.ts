// The studio's light as a formula: soft boxes in a grey room. A mirrored direction asks it directly, so that an eye shows crisp
// boxes and skin a soft glow, with no picture to be loaded or filtered (that took 1.6 s on software GL). Its diffuse part is
// nine spherical harmonics (Ramamoorthi & Hanrahan 2001), integrated once.
import { Color, Vector2, Vector3, type IUniform } from "three";

interface Box { from: Vector3; across: Vector3; up: Vector3; half: [number, number]; colour: Color }

/** A box seen from the face: its middle at this place (metres, any scale), so wide and high, so bright. */
function box(x: number, y: number, z: number, width: number, height: number, colour: string, power: number): Box {
  const from = new Vector3(x, y, z);
  const far = from.length();
  from.divideScalar(far);
  const across = new Vector3(0, 1, 0).cross(from).normalize();
  return { from, across, up: from.clone().cross(across), half: [width / 2 / far, height / 2 / far], colour: new Color(colour).multiplyScalar(power) };
}

const BOXES = [
  box(2.4, 3.0, 4.4, 3.8, 2.6, "#fff1e0", 4.6),
  box(-5.0, 1.0, 2.2, 1.5, 4.6, "#e4edff", 2.3),
  box(5.0, 0.6, -2.6, 1.3, 4.6, "#e9f0ff", 3.6),
  box(-3.2, 2.4, -4.4, 2.6, 2.0, "#fff4ea", 2.6),
];
const SKY = new Color("#d9dde6").multiplyScalar(0.34);
const FLOOR = new Color("#9a8678").multiplyScalar(0.3);
const SAMPLES = 2048;

const vec3 = (v: { toArray(): number[] }) => `vec3( ${v.toArray().map((value) => value.toFixed(5)).join(", ")} )`;

/** Shared by all materials: how far the light is turned about the face (cosine, sine). */
export const turned: IUniform<Vector2> = { value: new Vector2(1, 0) };

export const STUDIO_GLSL = `
uniform vec2 studioTurn;
vec3 studioWay( vec3 way ) { return vec3( studioTurn.x * way.x - studioTurn.y * way.z, way.y, studioTurn.y * way.x + studioTurn.x * way.z ); }
float studioEdge( float at, float half_, float soft ) { return smoothstep( -soft, soft, at + half_ ) - smoothstep( -soft, soft, at - half_ ); }
vec3 studioBox( vec3 way, float soft, vec3 from, vec3 across, vec3 up, vec2 half_, vec3 colour ) {
  float ahead = dot( way, from );
  if ( ahead <= 0.05 ) return vec3( 0.0 );
  vec2 at = vec2( dot( way, across ), dot( way, up ) ) / ahead;
  return colour * studioEdge( at.x, half_.x, soft ) * studioEdge( at.y, half_.y, soft );
}
vec3 studioRadiance( vec3 outward, float roughness ) {
  vec3 way = studioWay( outward );
  float soft = 0.012 + 1.6 * roughness * roughness;
  vec3 light = mix( ${vec3(FLOOR)}, ${vec3(SKY)}, smoothstep( -0.55, 0.75, way.y ) );
${BOXES.map(({ from, across, up, half, colour }) => `  light += studioBox( way, soft, ${vec3(from)}, ${vec3(across)}, ${vec3(up)}, vec2( ${half.map((value) => value.toFixed(5)).join(", ")} ), ${vec3(colour)} );`).join("\n")}
  return light;
}
vec3 studioIrradiance( vec3 outward ) {
  vec3 n = studioWay( outward );
${harmonics().map((term) => `  ${term}`).join("\n")}
  return max( light, 0.0 );
}`;

/** Put after <lights_fragment_maps>: what the room adds to a physical material. */
export const STUDIO_LIGHT_GLSL = (ambient: number | string) => `
#include <lights_fragment_maps>
  {
    vec3 outward = inverseTransformDirection( geometryNormal, viewMatrix );
    irradiance += studioIrradiance( outward ) * float( ${ambient} );
    vec3 mirrored = inverseTransformDirection( reflect( - geometryViewDir, geometryNormal ), viewMatrix );
    radiance += studioRadiance( normalize( mix( mirrored, outward, material.roughness * material.roughness ) ), material.roughness ) * float( ${ambient} );
    #ifdef USE_CLEARCOAT
      clearcoatRadiance += studioRadiance( inverseTransformDirection( reflect( - geometryViewDir, geometryClearcoatNormal ), viewMatrix ), material.clearcoatRoughness );
    #endif
  }`;

function radiance(way: Vector3): Color {
  const part = smooth((way.y + 0.55) / 1.3);
  const light = FLOOR.clone().lerp(SKY, part);
  for (const { from, across, up, half, colour } of BOXES) {
    const ahead = way.dot(from);
    if (ahead > 0.05 && Math.abs(way.dot(across) / ahead) < half[0] && Math.abs(way.dot(up) / ahead) < half[1]) light.add(colour);
  }
  return light;
}

function smooth(value: number): number {
  const part = Math.min(Math.max(value, 0), 1);
  return part * part * (3 - 2 * part);
}

/** Irradiance as GLSL: `vec3 light = …` in the normal n. */
function harmonics(): string[] {
  const basis: [string, (v: Vector3) => number, number][] = [
    ["1.0", () => 0.282095, Math.PI],
    ["n.y", ({ y }) => 0.488603 * y, (2 * Math.PI) / 3], ["n.z", ({ z }) => 0.488603 * z, (2 * Math.PI) / 3], ["n.x", ({ x }) => 0.488603 * x, (2 * Math.PI) / 3],
    ["n.x * n.y", ({ x, y }) => 1.092548 * x * y, Math.PI / 4], ["n.y * n.z", ({ y, z }) => 1.092548 * y * z, Math.PI / 4],
    ["( 3.0 * n.z * n.z - 1.0 )", ({ z }) => 0.315392 * (3 * z * z - 1), Math.PI / 4], ["n.x * n.z", ({ x, z }) => 1.092548 * x * z, Math.PI / 4],
    ["( n.x * n.x - n.y * n.y )", ({ x, y }) => 0.546274 * (x * x - y * y), Math.PI / 4],
  ];
  const factors = [0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274];
  const sums = basis.map(() => new Color(0, 0, 0));
  const way = new Vector3();
  for (let at = 0; at < SAMPLES; at++) { // a Fibonacci sphere
    const y = 1 - (2 * at + 1) / SAMPLES;
    const angle = at * Math.PI * (3 - Math.sqrt(5));
    way.set(Math.cos(angle) * Math.sqrt(1 - y * y), y, Math.sin(angle) * Math.sqrt(1 - y * y));
    const light = radiance(way).multiplyScalar((4 * Math.PI) / SAMPLES);
    basis.forEach(([, value], term) => sums[term]!.add(light.clone().multiplyScalar(value(way))));
  }
  return basis.map(([words, , band], term) => `${term ? "light +=" : "vec3 light ="} ${vec3(sums[term]!.clone().multiplyScalar(band * factors[term]!))} * ${words};`);
}

/** The backdrop's colour at a pixel, shared by what fades into it. */
export const backdropUniforms = {
  backdropCentre: { value: new Color() } as IUniform<Color>,
  backdropEdge: { value: new Color() } as IUniform<Color>,
  /** Left, bottom, width and height of the view, in drawn pixels. */
  backdropArea: { value: [0, 0, 1, 1] } as IUniform<number[]>,
};

export const BACKDROP_GLSL = `
uniform vec3 backdropCentre, backdropEdge; uniform float backdropArea[ 4 ];
vec3 backdropColour() {
  vec2 size = vec2( backdropArea[ 2 ], backdropArea[ 3 ] );
  vec2 at = 2.0 * ( gl_FragCoord.xy - vec2( backdropArea[ 0 ], backdropArea[ 1 ] ) ) / size - 1.0;
  float far = smoothstep( 0.05, 1.25, length( ( at - vec2( 0.0, 0.12 ) ) * size / max( size.x, size.y ) ) );
  return mix( backdropCentre, backdropEdge, far );
}
float backdropNoise() { return ( fract( sin( dot( gl_FragCoord.xy, vec2( 12.9898, 78.233 ) ) ) * 43758.5453 ) - 0.5 ) / 255.0; }`;
