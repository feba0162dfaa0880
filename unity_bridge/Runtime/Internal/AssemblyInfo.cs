// The tests look inside.
using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Avatar3D.Core.Tests")]
