// Skin, eyes, mouth and hair as they look in the studio. Only parts of our own heads get them; what others made stays as it is.
import { DoubleSide, FrontSide, MeshPhysicalMaterial, MeshStandardMaterial, ShaderChunk, type IUniform, type Material, type Texture } from "three";
import { BACKDROP_GLSL, STUDIO_GLSL, STUDIO_LIGHT_GLSL, backdropUniforms, turned } from "../stage/light";

export type Program = { vertexShader: string; fragmentShader: string; uniforms: Record<string, IUniform> };

/** Replaces one piece of a shader of three.js, which must be there: the version is pinned, and a test builds every material. */
export function patch(program: Program, stage: "vertexShader" | "fragmentShader", piece: string, by: string): void {
  if (!program[stage].includes(piece)) throw new Error(`three.js has no ${piece} any more`);
  program[stage] = program[stage].replace(piece, () => by);
}

/** A material that the studio lights; `ambient` is how much of the room reaches it, a number or GLSL. */
export function lit(material: MeshPhysicalMaterial, key: string, ambient: number | string, edit: (program: Program) => void = () => undefined): MeshPhysicalMaterial {
  material.onBeforeCompile = (shader) => {
    const program = shader as unknown as Program;
    patch(program, "fragmentShader", "#include <common>", `#include <common>\n${STUDIO_GLSL}`);
    patch(program, "fragmentShader", "#include <lights_fragment_maps>", STUDIO_LIGHT_GLSL(ambient));
    program.uniforms.studioTurn = turned;
    edit(program);
  };
  material.customProgramCacheKey = () => `avatar3d-${key}`;
  return material;
}

function fine(texture: Texture | null): Texture | null {
  if (texture) texture.anisotropy = 8;
  return texture;
}

/** Light reaches around the terminator, red furthest (wrapped per channel, for what scatters below the skin); the bust fades out. */
export function skin(from: MeshStandardMaterial, fade: [number, number]): MeshPhysicalMaterial {
  const material = new MeshPhysicalMaterial({
    name: from.name, map: fine(from.map), normalMap: fine(from.normalMap), color: from.color, metalness: 0,
    roughness: 0.47, specularIntensity: 0.75, ior: 1.4,
  });
  material.normalScale.copy(from.normalScale);
  return lit(material, "skin", 1, (program) => {
    patch(program, "fragmentShader", "#include <lights_physical_pars_fragment>", scattering());
    patch(program, "vertexShader", "#include <common>", "#include <common>\nvarying float vHeight;");
    patch(program, "vertexShader", "#include <morphtarget_vertex>", "#include <morphtarget_vertex>\nvHeight = transformed.y;");
    patch(program, "fragmentShader", "#include <common>", `#include <common>\nvarying float vHeight;\nuniform vec2 fade;\n${BACKDROP_GLSL}`);
    patch(program, "fragmentShader", "#include <dithering_fragment>", `#include <dithering_fragment>
      float gone = 1.0 - smoothstep( fade.x, fade.y, vHeight );
      if ( gone > 0.0 ) gl_FragColor.rgb = mix( gl_FragColor.rgb, linearToOutputTexel( vec4( backdropColour(), 1.0 ) ).rgb + backdropNoise(), gone );`);
    Object.assign(program.uniforms, backdropUniforms, { fade: { value: fade } });
  });
}

/** The lighting of three.js' physical material, its diffuse part wrapped. */
export function scattering(strength = ""): string {
  const program = { fragmentShader: ShaderChunk.lights_physical_pars_fragment, vertexShader: "", uniforms: {} };
  patch(program, "fragmentShader", "void RE_Direct_Physical", "const vec3 SCATTER = vec3( 0.30, 0.12, 0.08 );\nvoid RE_Direct_Physical");
  patch(program, "fragmentShader", "reflectedLight.directDiffuse += irradiance * diffuseBRDF", `
    vec3 around = SCATTER${strength};
    vec3 scattered = max( ( vec3( dot( geometryNormal, directLight.direction ) ) + around ) / ( 1.0 + around ), 0.0 );
    reflectedLight.directDiffuse += scattered * directLight.color * diffuseBRDF`);
  return program.fragmentShader;
}

/** A wet ball in the shade of its lids: darker towards the upper lid and the corners, whatever way it looks. */
export function eyes(from: MeshStandardMaterial): MeshPhysicalMaterial {
  const material = new MeshPhysicalMaterial({
    name: from.name, map: fine(from.map), metalness: 0, roughness: 0.45, specularIntensity: 0.5, clearcoat: 1, clearcoatRoughness: 0.03,
  });
  return lit(material, "eyes", 0.9, (program) => {
    patch(program, "vertexShader", "#include <common>", "attribute vec3 centre;\nvarying vec3 vArm;\n#include <common>");
    patch(program, "vertexShader", "#include <morphtarget_vertex>", "#include <morphtarget_vertex>\nvArm = transformed - centre;");
    patch(program, "fragmentShader", "#include <common>", "varying vec3 vArm;\n#include <common>");
    patch(program, "fragmentShader", "#include <opaque_fragment>", `
      vec3 arm = normalize( vArm );
      float lid = smoothstep( 0.05, 0.5, arm.y ) * 0.58;
      float corner = smoothstep( 0.45, 0.85, abs( arm.x ) ) * 0.4;
      float low = smoothstep( 0.3, 0.6, - arm.y ) * 0.22;
      outgoingLight *= ( 1.0 - lid ) * ( 1.0 - corner ) * ( 1.0 - low );
      #include <opaque_fragment>`);
  });
}

/** Teeth, gums, tongue, lining and wet lines in one: colour, roughness and openness come with the vertices. */
export function mouth(atlas: Texture): MeshPhysicalMaterial {
  const material = new MeshPhysicalMaterial({ name: "mouth", map: atlas, vertexColors: true, metalness: 0, roughness: 1, specularIntensity: 0.8, side: DoubleSide });
  return lit(material, "mouth", 0.8, (program) => {
    patch(program, "vertexShader", "#include <common>", "attribute vec2 surface;\nvarying vec2 vSurface;\n#include <common>");
    patch(program, "vertexShader", "#include <begin_vertex>", "#include <begin_vertex>\nvSurface = surface;");
    patch(program, "fragmentShader", "#include <common>", "varying vec2 vSurface;\n#include <common>");
    patch(program, "fragmentShader", "#include <roughnessmap_fragment>", "float roughnessFactor = vSurface.x;");
    patch(program, "fragmentShader", "#include <lights_fragment_end>", `#include <lights_fragment_end>
      reflectedLight.directSpecular *= vSurface.y;
      reflectedLight.indirectSpecular *= vSurface.y * vSurface.y;
      reflectedLight.directDiffuse *= mix( 0.45, 1.0, vSurface.y );
      reflectedLight.indirectDiffuse *= mix( 0.3, 1.0, vSurface.y );`);
  });
}

/** Hair and lashes: edges smooth by coverage, no sorting. */
export function hair(from: MeshStandardMaterial, name: string): MeshPhysicalMaterial {
  const cards = name === "hair";
  const material = new MeshPhysicalMaterial({
    name: from.name, map: fine(from.map), normalMap: fine(from.normalMap), color: from.color, metalness: 0,
    // With a relief of single hairs its gloss is a band of streaks, as the file asks; without one it would lie over all of the hair.
    roughness: from.normalMap ? from.roughness : cards ? 0.6 : 0.9, specularIntensity: cards ? 0.45 : 0.1,
    alphaTest: from.alphaTest, alphaToCoverage: from.alphaTest > 0, side: from.side === FrontSide ? FrontSide : DoubleSide,
  });
  return lit(material, "hair", 0.85);
}

export function isStandard(material: Material | Material[]): material is MeshStandardMaterial {
  return material instanceof MeshStandardMaterial;
}

