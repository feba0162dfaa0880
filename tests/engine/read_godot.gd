# What Godot 3.2 made of a GLB: every shape and every pose, as vertex positions.   usage: see read_godot.py
#
# The server has no renderer that deforms, so skinning is summed up here, of the engine's own vertex arrays, skeleton and skin.
extends SceneTree


func _initialize():
	var request = _request()
	var scene = load("res://avatar.glb").instance()
	get_root().add_child(scene)  # a skeleton outside does not follow its poses
	var skeleton = _first(scene, "Skeleton")
	var told = {"engine": "Godot " + Engine.get_version_info()["string"], "meshes": []}
	for node in _all(scene, "MeshInstance"):
		var file = "mesh%d.f32" % told["meshes"].size()
		var out = File.new()
		out.open("res://" + file, File.WRITE)
		told["meshes"].append(_mesh(node, skeleton, request["poses"], out, file))
		out.close()
	var out = File.new()
	out.open("res://motion.json", File.WRITE)
	out.store_string(JSON.print(told))
	out.close()
	quit()


func _mesh(node, skeleton, poses, out, file):
	var arrays = node.mesh.surface_get_arrays(0)
	var shapes = node.mesh.surface_get_blend_shape_arrays(0)
	var rest = arrays[Mesh.ARRAY_VERTEX]
	var names = []
	var moves = []
	_store(out, rest)
	for at in range(node.mesh.get_blend_shape_count()):
		names.append(node.mesh.get_blend_shape_name(at))
		moves.append(_displacements(node.mesh, shapes[at][Mesh.ARRAY_VERTEX], rest))
		_store(out, moves[at])
	for pose in poses:
		var shaped = rest
		for name in pose["weights"]:
			if names.has(name):
				shaped = _shaped(shaped, moves[names.find(name)], pose["weights"][name])
		_pose(skeleton, pose["rotations"])
		_store(out, _skinned(node, skeleton, arrays, shaped))
	return {"name": node.name, "shapes": names, "poses": poses.size(), "vertices": rest.size(), "file": file}


# In the mode NORMALIZED a shape's array holds the vertices where they go, in RELATIVE how far.
func _displacements(mesh, shape, rest):
	if mesh.blend_shape_mode == Mesh.BLEND_SHAPE_MODE_RELATIVE:
		return shape
	var moves = PoolVector3Array()
	moves.resize(rest.size())
	for at in range(rest.size()):
		moves[at] = shape[at] - rest[at]
	return moves


func _shaped(vertices, moves, weight):
	for at in range(vertices.size()):
		vertices[at] += moves[at] * weight
	return vertices


func _pose(skeleton, rotations):
	for bone in range(skeleton.get_bone_count()):
		skeleton.set_bone_pose(bone, Transform())
	for joint in rotations:
		var bone = _bone(skeleton, joint)
		var wxyz = rotations[joint]
		skeleton.set_bone_pose(bone, Transform(Basis(Quat(wxyz[1], wxyz[2], wxyz[3], wxyz[0]))))


# The importer writes leftEye as left_eye.
func _bone(skeleton, joint):
	for bone in range(skeleton.get_bone_count()):
		if skeleton.get_bone_name(bone).replace("_", "").to_lower() == joint.to_lower():
			return bone
	push_error("no bone " + joint)
	return -1


func _skinned(node, skeleton, arrays, vertices):
	var moved = []
	for bind in range(node.skin.get_bind_count()):
		var bone = node.skin.get_bind_bone(bind)
		if bone < 0:
			bone = skeleton.find_bone(node.skin.get_bind_name(bind))
		moved.append(skeleton.get_bone_global_pose(bone) * node.skin.get_bind_pose(bind))
	var bones = arrays[Mesh.ARRAY_BONES]
	var weights = arrays[Mesh.ARRAY_WEIGHTS]
	var posed = PoolVector3Array()
	posed.resize(vertices.size())
	for at in range(vertices.size()):
		var sum = Vector3()
		for slot in range(4 * at, 4 * at + 4):
			if weights[slot] > 0:
				sum += moved[int(bones[slot])].xform(vertices[at]) * weights[slot]
		posed[at] = sum
	return posed


func _store(out, vertices):
	for vertex in vertices:
		out.store_float(vertex.x)
		out.store_float(vertex.y)
		out.store_float(vertex.z)


func _request():
	var file = File.new()
	file.open("res://request.json", File.READ)
	return JSON.parse(file.get_as_text()).result


func _all(node, kind):
	var found = [node] if node.is_class(kind) else []
	for child in node.get_children():
		found += _all(child, kind)
	return found


func _first(node, kind):
	return _all(node, kind)[0]
