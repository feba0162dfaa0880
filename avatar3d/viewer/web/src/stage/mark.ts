// "AI-generated avatar" in the corner of pictures and films that leave the page.
import { CanvasTexture, Mesh, MeshBasicMaterial, OrthographicCamera, PlaneGeometry, SRGBColorSpace, Scene, type WebGLRenderer } from "three";

export const MARK = "AI-generated avatar";
const WIDTH = 148;
const HEIGHT = 24;

export class Mark {
  private readonly scene = new Scene();
  private readonly camera = new OrthographicCamera(0, 1, 1, 0, -1, 1);
  private label: Mesh | null = null;

  draw(renderer: WebGLRenderer, width: number, height: number): void {
    this.label ??= this.make();
    renderer.setScissorTest(false);
    renderer.setViewport(0, 0, width, height);
    this.camera.right = width;
    this.camera.top = height;
    this.camera.updateProjectionMatrix();
    this.label.position.set(12 + WIDTH / 2, 12 + HEIGHT / 2, 0);
    renderer.render(this.scene, this.camera);
  }

  private make(): Mesh {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [WIDTH * 2, HEIGHT * 2];
    const pen = canvas.getContext("2d")!;
    pen.scale(2, 2);
    pen.fillStyle = "rgba(16, 17, 20, 0.62)";
    pen.beginPath();
    pen.roundRect(0, 0, WIDTH, HEIGHT, 7);
    pen.fill();
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = "#fff";
    pen.fillText(MARK, WIDTH / 2, HEIGHT / 2 + 1);
    const map = new CanvasTexture(canvas);
    map.colorSpace = SRGBColorSpace;
    const material = new MeshBasicMaterial({ map, transparent: true, depthTest: false, depthWrite: false, toneMapped: false });
    const label = new Mesh(new PlaneGeometry(WIDTH, HEIGHT), material);
    this.scene.add(label);
    return label;
  }
}
