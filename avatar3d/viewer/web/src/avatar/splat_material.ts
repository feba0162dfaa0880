// How splats are drawn: quads over the mesh, from the furthest to the nearest, shaded as the skin or the hair that they lie on.
import { MeshPhysicalMaterial, type Texture, type Vector2 } from "three";
import { lit, patch, scattering } from "./materials";

/** Texels of a splat in the fixed texture. */
export const SPLAT_TEXELS = 5;

// A splat on its posed triangle (avatar/splats.ts says what the texels hold) and its shadow on the picture, which is the affine one
// (Zwicker et al., "EWA splatting", 2002, equation 31), 0.3 px2 wider. It is hidden where its centre lies 4 mm behind the mesh.
const SPLAT_GLSL = `
uniform highp sampler2D posed, fixed_; uniform vec2 screen;
attribute float splat;
varying vec4 vSplat; varying vec2 vAt; varying float vHair;
vec3 splatCentre, splatNormal; mat3 splatSpread; float splatOpacity;
vec4 texelOf( highp sampler2D from, int at ) { int wide = textureSize( from, 0 ).x; return texelFetch( from, ivec2( at % wide, at / wide ), 0 ); }
void readSplat() {
  int at = int( splat + 0.5 ) * ${SPLAT_TEXELS};
  vec4 one = texelOf( fixed_, at ), two = texelOf( fixed_, at + 1 ), three = texelOf( fixed_, at + 2 ), four = texelOf( fixed_, at + 3 ), five = texelOf( fixed_, at + 4 );
  vec3 a = texelOf( posed, int( one.x ) ).xyz, b = texelOf( posed, int( one.y ) ).xyz, c = texelOf( posed, int( one.z ) ).xyz;
  float span = max( length( b - a ), 1e-9 );
  vec3 x = ( b - a ) / span, z = cross( b - a, c - a );
  float area = max( length( z ), 1e-9 * span );
  z /= area;
  float size = ( span + area / span ) / 2.0;
  mat3 frame = mat3( x, cross( z, x ), z );
  splatCentre = ( 1.0 - two.x - two.y ) * a + two.x * b + two.y * c + one.w * size * z;
  mat3 spread = mat3( three.x, three.y, three.z, three.y, three.w, four.x, three.z, four.x, four.y );
  splatSpread = size * size * frame * spread * transpose( frame );
  splatNormal = normalize( frame * vec3( four.zw, five.w ) );
  float cosine = dot( splatNormal, normalize( cameraPosition - splatCentre ) );
  vHair = two.w;
  if ( vHair > 0.5 && cosine < 0.0 ) splatNormal = -splatNormal;
  splatOpacity = two.z * ( vHair > 0.5 ? 1.0 : smoothstep( 0.0, 0.2, cosine ) );
  vSplat = vec4( five.rgb, splatOpacity );
}
vec4 splatCorner( vec3 centre, vec2 corner ) {
  vec4 front = projectionMatrix * vec4( centre.xy, centre.z + 0.004, 1.0 );
  vec4 middle = projectionMatrix * vec4( centre, 1.0 );
  if ( splatOpacity < 1.0 / 255.0 || centre.z > -0.02 ) return vec4( 0.0, 0.0, 2.0, 1.0 );
  vec2 focal = 0.5 * screen * vec2( projectionMatrix[ 0 ][ 0 ], projectionMatrix[ 1 ][ 1 ] );
  mat3 view = mat3( viewMatrix ), seen = view * splatSpread * transpose( view );
  vec3 across = vec3( focal.x, 0.0, -focal.x * centre.x / centre.z ) / -centre.z, up = vec3( 0.0, focal.y, -focal.y * centre.y / centre.z ) / -centre.z;
  float xx = dot( across, seen * across ) + 0.3, xy = dot( across, seen * up ), yy = dot( up, seen * up ) + 0.3;
  float half_ = 0.5 * ( xx + yy ), apart = sqrt( max( 0.25 * ( xx - yy ) * ( xx - yy ) + xy * xy, 1e-12 ) );
  vec2 wide = abs( xy ) > 1e-6 ? normalize( vec2( half_ + apart - yy, xy ) ) : ( xx >= yy ? vec2( 1.0, 0.0 ) : vec2( 0.0, 1.0 ) );
  float reach = sqrt( 2.0 * log( max( 255.0 * splatOpacity, 1.0 ) ) );
  vAt = corner * reach;
  vec2 at = vAt.x * sqrt( half_ + apart ) * wide + vAt.y * sqrt( max( half_ - apart, 0.0 ) ) * vec2( -wide.y, wide.x );
  return vec4( middle.xy / middle.w + 2.0 * at / screen, front.z / front.w, 1.0 );
}`;

/** `posed` holds corners, `fixed` what never changes (splats.ts), `screen` the picture's size in pixels. */
export function splatMaterial(uniforms: { posed: Texture; fixed: Texture; screen: Vector2 }): MeshPhysicalMaterial {
  const material = new MeshPhysicalMaterial({ name: "splats", metalness: 0, roughness: 0.47, specularIntensity: 0.75, ior: 1.4, transparent: true, depthWrite: false });
  return lit(material, "splats", "mix( 1.0, 0.85, vHair )", (program) => {
    patch(program, "vertexShader", "#include <common>", `#include <common>\n${SPLAT_GLSL}`);
    patch(program, "vertexShader", "#include <beginnormal_vertex>", "readSplat();");
    patch(program, "vertexShader", "#include <defaultnormal_vertex>", "vec3 transformedNormal = mat3( viewMatrix ) * splatNormal;");
    patch(program, "vertexShader", "#include <begin_vertex>", "vec3 transformed = splatCentre;");
    patch(program, "vertexShader", "#include <project_vertex>", "vec4 mvPosition = viewMatrix * vec4( splatCentre, 1.0 );\ngl_Position = splatCorner( mvPosition.xyz, position.xy );");
    patch(program, "fragmentShader", "#include <common>", "#include <common>\nvarying vec4 vSplat;\nvarying vec2 vAt;\nvarying float vHair;");
    patch(program, "fragmentShader", "#include <lights_physical_pars_fragment>", scattering(" * ( 1.0 - vHair )"));
    patch(program, "fragmentShader", "#include <roughnessmap_fragment>", "float roughnessFactor = mix( 0.47, 0.6, vHair );");
    patch(program, "fragmentShader", "#include <color_fragment>", `
      float there = min( vSplat.a * exp( -0.5 * dot( vAt, vAt ) ), 0.99 );
      if ( there < 1.0 / 255.0 ) discard;
      diffuseColor = vec4( vSplat.rgb, there );`);
    program.uniforms.posed = { value: uniforms.posed };
    program.uniforms.fixed_ = { value: uniforms.fixed };
    program.uniforms.screen = { value: uniforms.screen };
  });
}
