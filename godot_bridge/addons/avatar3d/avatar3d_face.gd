@icon("res://addons/avatar3d/icon.svg")
## Moves a head: blend shapes by name on every mesh, head and eye bones, and the XRFaceTracker that XRFaceModifier3D reads.
##
## Works with heads of avatar3d and with others that have ARKit's 52 names (case and underscores do not count). The jaw bone
## stands still: jawOpen and its like move lower teeth, tongue and skin as shapes. Godot 4.3 and later.
class_name Avatar3DFace
extends Node

## How eyes turn. AUTO: by bones where no mesh of an eye has eyeLook shapes; with both they would turn twice.
enum Eyes { AUTO, BY_SHAPES, BY_BONES }

const Wire := preload("wire/wire_generated.gd")
const XRFace := preload("wire/xr_face_generated.gd")

@export var receiver: Avatar3DReceiver
## The head: the root of an imported .glb, or any node above its meshes.
@export var avatar: Node3D
@export var eyes: Eyes = Eyes.AUTO
## 0: the head stands still. 1: it turns as far as it is told.
@export_range(0.0, 1.0) var head_turn: float = 1.0
## Also feed an XRFaceTracker, for XRFaceModifier3D nodes anywhere in the scene.
@export var feeds_face_tracker: bool = true
## XRFaceModifier3D looks for this one if nobody says otherwise. Give each face its own where there are several.
@export var face_tracker: StringName = &"/user/face_tracker"

var _meshes: Array[MeshInstance3D] = []
# For each mesh: pairs of the index of a weight and the index of its shape.
var _shapes: Array[PackedInt32Array] = []
var _skeleton: Skeleton3D
# Bone, and its turn relative to its parent: before.inverse() * told * after.
var _head: Dictionary = {}
var _left_eye: Dictionary = {}
var _right_eye: Dictionary = {}
var _tracker: XRFaceTracker


func _ready() -> void:
	if receiver != null:
		process_priority = receiver.process_priority + 1
	find_face()


func _exit_tree() -> void:
	if _tracker != null:
		XRServer.remove_tracker(_tracker)
		_tracker = null


func _enter_tree() -> void:
	if feeds_face_tracker:
		_tracker = XRFaceTracker.new()
		_tracker.name = face_tracker
		XRServer.add_tracker(_tracker)


func _process(_delta: float) -> void:
	if receiver == null or not receiver.moves:
		return
	show_face(receiver.shown())


## Look for meshes and bones again; call it when [member avatar] was changed.
func find_face() -> void:
	_meshes.clear()
	_shapes.clear()
	_skeleton = null
	if avatar == null:
		return
	var eyes_have_shapes: bool = false
	for node: Node in _below(avatar):
		var skeleton: Skeleton3D = node as Skeleton3D
		if skeleton != null and _skeleton == null and _bone(skeleton, "head") >= 0:
			_skeleton = skeleton
		var mesh: MeshInstance3D = node as MeshInstance3D
		var pairs: PackedInt32Array = _pairs(mesh)
		if not pairs.is_empty():
			_meshes.append(mesh)
			_shapes.append(pairs)
			var looks: bool = mesh.find_blend_shape_by_name(&"eyeLookOutLeft") >= 0
			eyes_have_shapes = eyes_have_shapes or (looks and _is_eyeball(_plain(mesh.name)))
	if _meshes.is_empty():
		push_warning("avatar3d: %s has no mesh with blend shapes of ARKit's names." % avatar.name)
	_head = _joint("head")
	var by_bones: bool = eyes == Eyes.BY_BONES or (eyes == Eyes.AUTO and not eyes_have_shapes)
	_left_eye = _joint("lefteye") if by_bones else {}
	_right_eye = _joint("righteye") if by_bones else {}


## Show this face now, whoever made it.
func show_face(shown: Wire.Frame) -> void:
	for at: int in _meshes.size():
		var pairs: PackedInt32Array = _shapes[at]
		for place: int in range(0, pairs.size(), 2):
			_meshes[at].set_blend_shape_value(pairs[place + 1], shown.weights[pairs[place]])
	_turn(_head, _quaternion(shown.head_wxyz), head_turn)
	_turn(_left_eye, _quaternion(shown.left_eye_wxyz), 1.0)
	_turn(_right_eye, _quaternion(shown.right_eye_wxyz), 1.0)
	if _tracker != null:
		for sums: Array in XRFace.SUMS:
			var sum: float = 0.0
			for place: int in range(1, sums.size(), 2):
				sum += shown.weights[sums[place]] * sums[place + 1]
			_tracker.set_blend_shape(sums[0], sum)


func _pairs(mesh: MeshInstance3D) -> PackedInt32Array:
	var pairs: PackedInt32Array = PackedInt32Array()
	var array_mesh: ArrayMesh = mesh.mesh as ArrayMesh if mesh != null else null
	if array_mesh == null:
		return pairs
	var known: Dictionary = {}
	for at: int in Wire.SHAPES:
		known[_plain(Wire.ARKIT_NAMES[at])] = at
	for shape: int in array_mesh.get_blend_shape_count():
		var weight: int = known.get(_plain(array_mesh.get_blend_shape_name(shape)), -1)
		if weight >= 0:
			pairs.append(weight)
			pairs.append(shape)
	return pairs


func _below(node: Node) -> Array[Node]:
	var found: Array[Node] = [node]
	for child: Node in node.get_children():
		found.append_array(_below(child))
	return found


## Importers write leftEye also as left_eye or LeftEye.
func _plain(name_of_it: String) -> String:
	return name_of_it.replace("_", "").to_lower()


## Lashes, lids and brows have eyeLook shapes, too, where eyeballs have none.
func _is_eyeball(plain: String) -> bool:
	for other: String in ["lash", "lid", "brow"]:
		if plain.contains(other):
			return false
	return plain.contains("eye")


func _bone(skeleton: Skeleton3D, plain: String) -> int:
	for bone: int in skeleton.get_bone_count():
		if _plain(skeleton.get_bone_name(bone)) == plain:
			return bone
	return -1


## Turns are told in the head's axes, which a bone's need not be (a retargeted skeleton has others).
func _joint(plain: String) -> Dictionary:
	var bone: int = _bone(_skeleton, plain) if _skeleton != null else -1
	if bone < 0:
		return {}
	var parent: int = _skeleton.get_bone_parent(bone)
	var before: Quaternion = Quaternion.IDENTITY
	if parent >= 0:
		before = _skeleton.get_bone_global_rest(parent).basis.get_rotation_quaternion()
	var after: Quaternion = _skeleton.get_bone_global_rest(bone).basis.get_rotation_quaternion()
	return { "bone": bone, "before": before.inverse(), "after": after }


func _turn(joint: Dictionary, told: Quaternion, share: float) -> void:
	if joint.is_empty():
		return
	var part: Quaternion = Quaternion.IDENTITY.slerp(told, share)
	var before: Quaternion = joint["before"]
	var after: Quaternion = joint["after"]
	_skeleton.set_bone_pose_rotation(joint["bone"], before * part * after)


func _quaternion(wxyz: Array) -> Quaternion:
	return Quaternion(wxyz[1], wxyz[2], wxyz[3], wxyz[0])
