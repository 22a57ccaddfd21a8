/**
 * Raw commit objects that git 2.39 and OpenSSH 9.2 made (`git commit -S` with `gpg.format=ssh`), one for each kind of key, and one that GitHub
 * signed when it merged a pull request. Bytes of somebody else's making: what fleet reads must be what they write.
 */
export const SIGNED_COMMITS = {
  ed25519: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgSUaek8m3rH7U+DgeTPhp0B1+ld
 egkOZQ0DYvnrQwZZkAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
 AAAAQBH5uqfM9RIZ9KtHnCCrLbU3G5yXwPaFk0VRTH+zu38tGqosTXmt7ty6h0hkekxl6Q
 AJWOBx6nytmQ0lYhOErQw=
 -----END SSH SIGNATURE-----

Signed with ed25519
`,
  ecdsa256: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent 6f09ac63a11bd46c2cd9e1bca64b494b0ce7b748
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
 EEpO5C1C+ocFejlyPEtZkJ834i4KyNoo3lNtIGWz4iiz4cSCSSd93vaYcLyl8fRRPZjcIy
 apHgQSDYWud89a7mZwAAAANnaXQAAAAAAAAABnNoYTUxMgAAAGQAAAATZWNkc2Etc2hhMi
 1uaXN0cDI1NgAAAEkAAAAhAP6LwHqMRQpJggm7Nrt0Fus+PrtuKS6h/gE31H5dtQo7AAAA
 ICJJfMRLVPQrCsRA68PP/4vPtlkFLevV/7dyaivPLlwl
 -----END SSH SIGNATURE-----

Signed with ecdsa256
`,
  ecdsa384: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent f6c8d786bedfdf6cc1bcf045bf57806ddf3b1cbf
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAG
 EE+bjmYnWmEhg3X/7MNofcy57Y0bXKw/0EeuUt+Jxw2IAY+G+1y9v/Yp39FQE0Yvd1XcbH
 77yzz2+BzOt/pgdDckpOsh6faVX9QaZSKgp0VAjbjqHtLwQDzGSjGn6E5aWrAAAAA2dpdA
 AAAAAAAAAGc2hhNTEyAAAAhQAAABNlY2RzYS1zaGEyLW5pc3RwMzg0AAAAagAAADEAty9l
 v2Evv3h2DzVpPxoZHezseTNwp/Z5yijBgjsjTUdvjCQ1r+6XVLhuFhh7na/5AAAAMQDIW1
 jk5+Jp0PVi839JD6KtMG5Y4Z3kVbKUgQKlo21XZ8Q42dtLqKeoXdf63UKww7A=
 -----END SSH SIGNATURE-----

Signed with ecdsa384
`,
  ecdsa521: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent 913d475954a6404588240fa8e70acc7becab169a
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAAKwAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQAAAI
 UEAHaAM/n/s1mttZLi2pNdVVXe8jfRggoCjrCby/BTk3TbRYmt5aRvvjIcl66y68aCFMd+
 r1yzLzXyqnxGCERlhJQXAYekTKmnk0I9UwphBz+yImrYPEPwKPug7PlZIjeunnKGjEiEr9
 lBXAc7/pURJwdTebJwZfkQGexRTSDbZt03OKFfAAAAA2dpdAAAAAAAAAAGc2hhNTEyAAAA
 pwAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAAjAAAAEIBZKSh3cZK4FIyVKXt1RDWqwiuDR
 NcNSuxSVycwIaWECyG1tb0PQgKxf93+s/pS5Ht9JcWw2N5LLgtEDPKfzDZfxIAAABCASET
 N/ezGbluBRhaZL/qY06uHGvzW7L1/znzl1kIHarxXnycv6iMlhaU/dWkapiQMGpHnTQu0z
 M/u2bY/H7ru41c
 -----END SSH SIGNATURE-----

Signed with ecdsa521
`,
  rsa2048: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent d184d340949f29fcf702103bed162309f548f37c
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBALJlC+XrS2GlzXKjOjtpes
 WuHHWhK54YHfkCaOZevzziPLfDl9t59/hb2ev3xW3KW27zNylDyG5ZdahYytjqPNmFNULK
 0aoe3uh3O5Bb7IjMoch2QCaTvyd0pAq1FuRr69FmXOrF64W2Dd6xdtTtcPuK+M1RJmOGzO
 B3oluZ4WpZ/fXuiuZA2UqUtsRN8cmkpaGrb04qcPAPFssG/q4VUYaw1OOu3VoPnT2uB1JI
 dYt0IXeVUEvCFQ7wIOopnmcL1ScX4eF7Gb2QnWs7AyftiY0O7a72l0ZksCcJUmPj8mcMsu
 T1ay94rcNItEEF6lrPfR3+y8+YA3sHlyYaEph/AcsAAAADZ2l0AAAAAAAAAAZzaGE1MTIA
 AAEUAAAADHJzYS1zaGEyLTUxMgAAAQA+M4PkL3/SkrnBpT+QvTRnDH+3K4dolfLFSgeYZC
 uKMheznJ7RciYS8zoEKVsOwe5JJOud++IedVXgKfvirV0fFTQEOs1whOGhUG5hLut3l3qE
 NA3wME9H9MXq8o5xx7fz42L2NtUzhl4RIsILSgfQL069NCUVs/lBiXX4zj/hxs5vgseo1k
 PMMzwsoY+Cz8OHxh8uJtP0BCS9jKqkLCoKrdr2dI15PknzJkH2QjJlp11Me8yE4Jg41jDC
 HT90ddinxgksCKSq114MSMtras/KbN04Vjr7eA/tsSlGoNNTCKygmcKLa+q0mmxkZYgH5S
 WPxP1+Tz+TyjIfuzP6ZzNU
 -----END SSH SIGNATURE-----

Signed with rsa
`,
  rsa1024: `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent f5f2f6554ae469bb5ae426691197652461ce56eb
author Ada <ada@example.org> 1760000000 +0200
committer Ada <ada@example.org> 1760000000 +0200
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAAJcAAAAHc3NoLXJzYQAAAAMBAAEAAACBAMCy9iqAoVyez2+S1lMECm
 1+U++6ag1f4JIvX8J/rU5u3g3NBAyujtChjoCZJ3sGYiTtcBP41DszWYxzOKVkqhFfzZU6
 ta6YjADd7D4g3JsXpuLdL+hePzkL6gFdqSzejlca+xMPjbvo39GXiG9cjXl0MsOI43wFAf
 YYFMt8nZ+fAAAAA2dpdAAAAAAAAAAGc2hhNTEyAAAAlAAAAAxyc2Etc2hhMi01MTIAAACA
 HXJIT7i3rcUvFdJBF7AsIBIGm172n8O9e4DKejNYBt74xQmZiiCQBvXZqcxTPYFH3LD3o5
 oTZ6ui4MJx7gM7RPZOurLSE6w9i3d0AYrFm6LJL8lb4xo66/V/OSNVMcPzemZ3MLemHk7e
 3mi45c0Q795kcREAjX9NpkBeLiwuzbM=
 -----END SSH SIGNATURE-----

Signed with rsasmall
`,
};

/** The lines of `allowed_signers` they are signed by. */
export const SIGNER_LINES = {
  ed25519: "ed25519@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElGnpPJt6x+1Pg4Hkz4adAdfpXXoJDmUNA2L560MGWZ",
  ecdsa256:
    "ecdsa256@example.org ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKTuQtQvqHBXo5cjxLWZCfN+IuCsjaKN5TbSBls+Ios+HEgkknfd72mHC8pfH0UT2Y3CMmqR4EEg2FrnfPWu5mc=",
  ecdsa384:
    "ecdsa384@example.org ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBPm45mJ1phIYN1/+zDaH3Mue2NG1ysP9BHrlLficcNiAGPhvtcvb/2Kd/RUBNGL3dV3Gx++8s89vgczrf6YHQ3JKTrIen2lV/UGmUioKdFQI246h7S8EA8xkoxp+hOWlqw==",
  ecdsa521:
    "ecdsa521@example.org ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAB2gDP5/7NZrbWS4tqTXVVV3vI30YIKAo6wm8vwU5N020WJreWkb74yHJeusuvGghTHfq9csy818qp8RghEZYSUFwGHpEypp5NCPVMKYQc/siJq2DxD8Cj7oOz5WSI3rp5yhoxIhK/ZQVwHO/6VEScHU3mycGX5EBnsUU0g22bdNzihXw==",
  rsa2048:
    "rsa2048@example.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCyZQvl60thpc1yozo7aXrFrhx1oSueGB35AmjmXr884jy3w5fbeff4W9nr98Vtyltu8zcpQ8huWXWoWMrY6jzZhTVCytGqHt7odzuQW+yIzKHIdkAmk78ndKQKtRbka+vRZlzqxeuFtg3esXbU7XD7ivjNUSZjhszgd6JbmeFqWf317ormQNlKlLbETfHJpKWhq29OKnDwDxbLBv6uFVGGsNTjrt1aD509rgdSSHWLdCF3lVBLwhUO8CDqKZ5nC9UnF+Hhexm9kJ1rOwMn7YmNDu2u9pdGZLAnCVJj4/JnDLLk9WsveK3DSLRBBepaz30d/svPmAN7B5cmGhKYfwHL",
  rsa1024:
    "rsa1024@example.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDAsvYqgKFcns9vktZTBAptflPvumoNX+CSL1/Cf61Obt4NzQQMro7QoY6AmSd7BmIk7XAT+NQ7M1mMczilZKoRX82VOrWumIwA3ew+INybF6bi3S/oXj85C+oBXaks3o5XGvsTD4276N/Rl4hvXI15dDLDiON8BQH2GBTLfJ2fnw==",
};

/** By GitHub's web-flow key; of a public repository, made by a bot. */
export const FORGE_COMMIT = `tree cf04a336f7bb999cb092eb3ac59974a0d9a0f075
parent b4c6b91da496e4f8b5c114bad1031c8f8eddd320
author lenient-proctor-smith[bot] <261028770+lenient-proctor-smith[bot]@users.noreply.github.com> 1771175268 +0000
committer GitHub <noreply@github.com> 1771175268 +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 
 wsFcBAABCAAQBQJpkf1kCRC1aQ7uu5UhlAAAN4cQABI0AjU+Ptfjz+puXhNXgZKA
 1gHsBrLJ7fWZ/HxzEKNroCzAUbpjW8KSki1ov9brT6xz3jOAuV1bsvvVC+6ZhaUH
 JCYmk7T6umP+WRQqAgOuh4bOoA7NBRlkdv9TN90Z3BKQc18hOXvInI0MsBrfWL/x
 Q3mR9F9mF8kjtlZhANGRkJhm/wVVMWzQ/1AdYl8sWd4taXeYDxGdSQnImQ5rpue/
 Tr7wzBjHp2rIF7reqxub9jjLqSylALmP+NYnSJl0VzzANkH1QpcSO2d0KVyVlT1r
 QGIg+Sh/+VrrfclMps72isHOXjbvxBhhgPM0b2dsPzP2oOm9RyRrmSuWplH7kQGz
 7KejeErhWwTStJgFo1JTInUAdJblyud/QHe5pef2nsagqEZp5CFQH/2rHgjF6Gjy
 MNKqtYHYqQcPDr7tGf6jvOWGnv1jzVZHDRTYU8xey8WH1TdGe+uQ3/rZPPpw23/o
 U3zsg3dcOpFr/v3zzQG4z6zOqs6R7neXdowfpO/b6u6chQKmJxCRztdlhoDcKyg7
 B0m7XsWIQzDqSYwr7QlcsMjITex6WUVubUAMsKMUJZy3fkDNuAD/wn2PXBHnHY8q
 MkRkhDFLD+lJbUbmWocsNzf+1WgTAN0hHUa4zcXDUeUDQYOTdueAo7k/FuzLKy/Q
 pp9MTMJpL/PgIGQjahRI
 =Oszn
 -----END PGP SIGNATURE-----
 

feat(registry): publish skill demo-hardcoded-skill`;

/** By gpg 2.2, with an RSA key of nobody's. */
export const OPENPGP_COMMIT = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
parent 4920e05a8828be27db582cb5a44b69eb448d8464
author Ada <ada@example.org> 1795292246 +0000
committer Ada <ada@example.org> 1795292246 +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 
 iQFEBAABCgAuFiEEEgE/LP+0jj1LKjni4gIzXlRa2UMFAmsB/FYQHGFkYUBleGFt
 cGxlLm9yZwAKCRDiAjNeVFrZQ3T5B/9TI2Frrgj4oQF8zAzw5B/2BR+2kBaSKDcp
 l0Y+ye0OsNsy3dx9gKwLCviRozU+/9cQblQ1/0awqMBNg2cHmAuxGfrOCCLcnYH5
 DhcFysrGcI1qHV2DQKVQWgu39gYEaGzhnKYwa8dP//zN95r4DdHgizjDSD4nFbAB
 ue4+5kcxq4pD0TAekPywgsaw1iHwtlC1GSzTaMtAfIeAB4S1wEqKrt0+h31xwmyV
 eLPNILnynJyHEnGDn2gwP6DKBEHrSQczj0xB6goNMjGtzwm3ADqluj2yaiwHDsPz
 kRh189g93yYEwO595l1e7QDRFVhwtdFJdeevDurL8w2WQNC90p0n
 =icyI
 -----END PGP SIGNATURE-----

Signed with OpenPGP
`;
