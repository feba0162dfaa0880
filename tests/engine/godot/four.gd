# What Godot 4 has and Godot 3.2 has otherwise, for the ported nodes (godot_port.py).
extends Reference


# WebSocketPeer of Godot 4 by WebSocketClient.
class Peer:
	const STATE_CONNECTING = 0
	const STATE_OPEN = 1
	const STATE_CLOSING = 2
	const STATE_CLOSED = 3
	var supported_protocols = PoolStringArray()
	var inbound_buffer_size = 0
	var _client = WebSocketClient.new()
	var _state = 0
	var _code = -1

	func connect_to_url(url, _tls):
		_client.connect("connection_established", self, "_opened")
		_client.connect("connection_error", self, "_closed")
		_client.connect("connection_closed", self, "_closed")
		_client.connect("server_close_request", self, "_closing")
		return _client.connect_to_url(url, supported_protocols)

	func _opened(_protocol):
		_state = STATE_OPEN

	func _closed(_clean = false):
		_state = STATE_CLOSED

	func _closing(code, _reason):
		_code = code

	func poll():
		_client.poll()

	func get_ready_state():
		return _state

	func get_close_code():
		return _code

	func get_available_packet_count():
		return _client.get_peer(1).get_available_packet_count()

	func get_packet():
		return _client.get_peer(1).get_packet()

	func was_string_packet():
		return _client.get_peer(1).was_string_packet()

	func send_text(text):
		_client.get_peer(1).set_write_mode(0)
		_client.get_peer(1).put_packet(text.to_utf8())

	func put_packet(bytes):
		_client.get_peer(1).set_write_mode(1)
		_client.get_peer(1).put_packet(bytes)

	func close():
		_client.disconnect_from_host()


class Tls:
	static func client(_chain = null):
		return null


class Json:
	var data

	func parse(text):
		var result = JSON.parse(text)
		data = result.result
		return result.error


class Tracker:
	var name = ""
	var told = {}

	func set_blend_shape(entry, value):
		told[entry] = value


static func add_tracker(tracker):
	Engine.set_meta("tracker", tracker)


static func remove_tracker(_tracker):
	Engine.set_meta("tracker", null)


static func find_shape(mesh, name):
	for shape in range(mesh.mesh.get_blend_shape_count()):
		if mesh.mesh.get_blend_shape_name(shape) == name:
			return shape
	return -1


static func set_shape(mesh, shape, value):
	mesh.set("blend_shapes/" + mesh.mesh.get_blend_shape_name(shape), value)


static func global_rest(skeleton, bone):
	var rest = skeleton.get_bone_rest(bone)
	var parent = skeleton.get_bone_parent(bone)
	return rest if parent < 0 else global_rest(skeleton, parent) * rest


# A pose of Godot 3 comes on top of the rest, one of Godot 4 takes its place.
static func set_rotation(skeleton, bone, turn):
	var rest = skeleton.get_bone_rest(bone).basis.get_rotation_quat()
	skeleton.set_bone_pose(bone, Transform(Basis(rest.inverse() * turn)))
