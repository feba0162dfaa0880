## The first ten minutes: a head from a file, moved by the bridge.
##
##     godot --path godot_bridge -- --avatar PATH/ana.glb --bridge FILE
##     godot --path godot_bridge -- --avatar PATH/ana.glb --url ws://127.0.0.1:8765/ --token TOKEN
##
## FILE is the one that `avatar3d live` names as "programs": it holds address and token. Without --avatar it takes
## res://avatar.glb, which the editor has imported.
extends Node3D

const FALLBACK: String = "res://avatar.glb"

@onready var _receiver: Avatar3DReceiver = $Receiver
@onready var _face: Avatar3DFace = $Face
@onready var _status: Label = $Status


func _ready() -> void:
	var words: Dictionary = _words()
	var head: Node3D = _loaded(words["avatar"]) if words.has("avatar") else _imported()
	if head == null:
		return
	add_child(head)
	_face.avatar = head
	_face.find_face()
	_receiver.connected.connect(_on_connected)
	_receiver.disconnected.connect(_on_disconnected)
	_receiver.refused.connect(_on_refused)
	_receiver.url = words.get("url", _receiver.url)
	_receiver.token = words.get("token", _receiver.token)
	_receiver.restart()


## What stands behind `--` on the command line, in pairs.
func _words() -> Dictionary:
	var said: PackedStringArray = OS.get_cmdline_user_args()
	var words: Dictionary = {}
	for at: int in range(0, said.size() - 1, 2):
		words[said[at].trim_prefix("--")] = said[at + 1]
	if words.has("bridge"):
		var told: Variant = JSON.parse_string(FileAccess.get_file_as_string(words["bridge"]))
		if told is Dictionary:
			words.merge(told)
		else:
			_status.text = "%s is not what avatar3d live writes; is the bridge running?" % words["bridge"]
	return words


func _loaded(path: String) -> Node3D:
	var document: GLTFDocument = GLTFDocument.new()
	var state: GLTFState = GLTFState.new()
	if document.append_from_file(path, state) != OK:
		_status.text = "%s is no glTF file, or cannot be read." % path
		return null
	return document.generate_scene(state) as Node3D


func _imported() -> Node3D:
	if not ResourceLoader.exists(FALLBACK):
		_status.text = "Put an avatar at %s, or start with -- --avatar PATH." % FALLBACK
		return null
	var scene: PackedScene = load(FALLBACK)
	return scene.instantiate() as Node3D


func _on_connected(faces: Array) -> void:
	_status.text = "connected; faces: %d" % faces.size()


func _on_disconnected() -> void:
	_status.text = "no bridge at %s; trying again" % _receiver.url


func _on_refused(why: String) -> void:
	_status.text = why
