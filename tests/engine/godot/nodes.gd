# The ported nodes with an imported head, in Godot 3.2.   usage: see test_godot_nodes.py
extends SceneTree

const Four = preload("res://four.gd")

var _request
var _receiver
var _face
var _told = {"connected": 0, "disconnected": 0, "refused": [], "moved": 0}
var _began_s = 0.0


func _initialize():
	var file = File.new()
	file.open("res://request.json", File.READ)
	_request = JSON.parse(file.get_as_text()).result
	var head = load("res://avatar.glb").instance()
	get_root().add_child(head)
	if _request.get("other_axes"):
		_give_other_axes(head.get_child(0))
	_receiver = load("res://receiver.gd").new()
	for name in _request["receiver"]:
		var value = _request["receiver"][name]
		_receiver.set(name, int(value) if typeof(value) == TYPE_REAL else value)  # JSON knows no whole numbers
	_receiver.connect("connected", self, "_connected")
	_receiver.connect("disconnected", self, "_disconnected")
	_receiver.connect("refused", self, "_refused")
	_face = load("res://face.gd").new()
	_face.receiver = _receiver
	_face.avatar = head
	_face.eyes = int(_request.get("eyes", 0))
	get_root().add_child(_receiver)
	get_root().add_child(_face)
	_began_s = OS.get_ticks_usec() / 1000000.0


# As a skeleton has them that was retargeted: bones along their own y.
func _give_other_axes(skeleton):
	for name in ["neck", "head", "left_eye", "right_eye"]:
		var bone = skeleton.find_bone(name)
		var rest = skeleton.get_bone_rest(bone)
		rest.basis = Basis(Vector3(0.3 + bone, 1.0, 0.5 * bone).normalized(), 0.7 + 0.2 * bone)
		skeleton.set_bone_rest(bone, rest)


func _connected(_faces):
	_told["connected"] += 1


func _disconnected():
	_told["disconnected"] += 1


func _refused(why):
	_told["refused"].append(why)


func _idle(_delta):
	OS.delay_usec(2000)
	if _receiver.moves:
		_told["moved"] += 1
		if _told["moved"] == 1:
			_write("moves", "")
	var since_s = OS.get_ticks_usec() / 1000000.0 - _began_s
	var eased = _told["moved"] > 0 and _receiver._keeper.presence < 1.0  # on a busy box nothing may have come for a moment
	if since_s < _request["seconds"] or (eased and since_s < _request["seconds"] + 15):
		return
	_told["ignored"] = _receiver.ignored
	_told["receiving"] = _receiver.is_receiving()
	_told["meshes"] = {}
	for mesh in _face._meshes:
		var values = {}
		for shape in range(mesh.mesh.get_blend_shape_count()):
			var name = mesh.mesh.get_blend_shape_name(shape)
			values[name] = mesh.get("blend_shapes/" + name)
		_told["meshes"][mesh.name] = values
	_told["bones"] = {}
	var skeleton = _face._skeleton
	for bone in range(skeleton.get_bone_count()):
		var turn = skeleton.get_bone_pose(bone).basis.get_rotation_quat()
		_told["bones"][skeleton.get_bone_name(bone)] = [turn.w, turn.x, turn.y, turn.z]
	_told["turned"] = {}
	for bone in [_face._head["bone"], skeleton.find_bone("left_eye")]:
		var rest = Four.global_rest(skeleton, bone).basis
		var turned = (skeleton.get_bone_global_pose(bone).basis * rest.inverse()).get_rotation_quat()
		_told["turned"][skeleton.get_bone_name(bone)] = [turned.w, turned.x, turned.y, turned.z]
	_told["tracker"] = Engine.get_meta("tracker").told
	_write("told.json", JSON.print(_told))
	quit()


func _write(name, text):
	var out = File.new()
	out.open("res://" + name, File.WRITE)
	out.store_string(text)
	out.close()
